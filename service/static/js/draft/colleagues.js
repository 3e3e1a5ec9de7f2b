// Somebody else's change of the open draft: asked for every five seconds, told in a bar, loaded when one says so.
import { icon } from '../map/icons.js';
import { byId, button, el } from './dom.js';
import { word } from './words.js';

const EVERY_MS = 5000;
const SHOWN = 3;

export class Colleagues {
  constructor(desk) {
    Object.assign(this, { desk, wait: 1 });
    this.bar = byId('newer');
    desk.model.told.push(() => { if (this.version && desk.model.version >= this.version) this.hide(); });
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.soon(200); });
    this.soon(EVERY_MS);
  }

  soon(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), ms);
  }

  async poll() {
    if (document.hidden) return; // it goes on when the page is looked at again
    const { model, api } = this.desk;
    if (model.version && !this.desk.saving) {
      try {
        const asked = this.version ?? model.version;
        const answer = await fetch(`${api.root}/since?version=${model.version}`, { headers: { Accept: 'application/json', 'If-None-Match': `"${Math.max(asked, model.version)}"` }, cache: 'no-store', credentials: 'same-origin' });
        if (answer.status === 200) this.show(await answer.json());
        else await answer.text(); // read, or the browser reports it as broken off
        this.wait = answer.ok || answer.status === 304 ? 1 : Math.min(12, this.wait * 2);
      } catch {
        this.wait = Math.min(12, this.wait * 2);
      }
    }
    this.soon(EVERY_MS * this.wait * (0.9 + 0.2 * Math.random()));
  }

  /** What was done since the version that is shown here; one's own save may have come in between. */
  show({ version, steps }) {
    const { model, saving } = this.desk;
    if (saving || version <= model.version) return;
    this.version = version;
    this.codes = steps.flatMap((step) => step.grids);
    const who = [...new Set(steps.map((step) => step.actor))].join(word('comma'));
    const what = steps.slice(-SHOWN).map((step) => step.words).filter(Boolean).join(word('semicolon'));
    const words = word('newer', { who, what }) + (steps.length > SHOWN ? word('newer_more', { n: steps.length }) : '');
    this.bar.replaceChildren(icon('warn'), el('p', { textContent: words }), button(word('load_newer'), () => this.load(), { look: 'act small main' }));
    this.bar.hidden = false;
  }

  hide() {
    this.version = null;
    this.bar.hidden = true;
  }

  /** The draft as it is now; what is being drawn here stays. */
  async load() {
    const { desk } = this;
    const answer = await desk.api.get();
    if (!answer.ok) { desk.tell(answer.why); return; }
    const codes = this.codes || [];
    desk.model.load(answer.body);
    this.hide();
    if (desk.state.grid && !desk.model.grids.has(desk.state.grid)) desk.choose(null);
    desk.tool?.refresh();
    desk.mark(codes.filter((code) => desk.model.grids.has(code)));
    const kept = desk.pencil.layer || desk.pencil.drawing;
    desk.tell(word(!desk.model.can.edit ? 'read_only' : kept ? 'newer_kept' : 'newer_loaded'));
  }
}
