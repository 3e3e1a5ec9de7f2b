// Pages stay fresh by polling: every five seconds, give or take a tenth; a hidden tab waits.
const EVERY_MS = 5000;

export class Live {
  /** @param changed fn(Set of names) called when something moved */
  constructor(changed) {
    this.changed = changed;
    this.since = '';
    this.wait = 1;
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.soon(200); });
    this.soon(800);
  }

  soon(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), ms);
  }

  async poll() {
    if (document.hidden) return;
    try {
      const headers = this.since ? { 'If-None-Match': `"${this.since}"` } : {};
      const answer = await fetch(`/changes?since=${encodeURIComponent(this.since)}`, { headers, cache: 'no-store' });
      if (answer.status === 200) {
        const { since, changed } = await answer.json();
        const first = !this.since;
        this.since = since;
        if (!first && changed.length) this.changed(new Set(changed));
      } else await answer.text(); // read, or the browser reports it as broken off
      this.wait = answer.ok || answer.status === 304 ? 1 : Math.min(12, this.wait * 2);
    } catch {
      this.wait = Math.min(12, this.wait * 2);
    }
    this.soon(EVERY_MS * this.wait * (0.9 + 0.2 * Math.random()));
  }
}
