// The detail beside the list: only its fragment is read, and the address bar says what is shown.
import { reveals } from './reveal.js';

const LONG_MS = 300;

export class Beside {
  constructor(main, place, rows) {
    Object.assign(this, { main, place, rows });
    this.phone = window.matchMedia('(max-width: 767px)');
    this.home = document.title;
    if (this.shown) this.home = `${main.dataset.title}${document.title.slice(document.title.indexOf(' · ', document.title.indexOf(main.dataset.title)))}`;
    rows.body?.addEventListener('click', (e) => this.clicked(e));
    place.addEventListener('click', (e) => { if (e.target.closest('[data-close]')) { e.preventDefault(); this.close(); } });
    reveals(place);
    window.addEventListener('popstate', () => this.again());
    rows.chosen?.scrollIntoView({ block: 'nearest' });
  }

  get shown() { return !this.place.hidden; }

  clicked(e) {
    const row = e.target.closest('tr[data-url]');
    if (!row || e.target.closest('.sel') || e.ctrlKey || e.metaKey || e.shiftKey) return;
    if (e.target.closest('a')) e.preventDefault();
    else if (!window.getSelection().isCollapsed) return;
    this.open(row);
  }

  /** While the arrows run through the rows, only the one where they rest is read. */
  soon(row) {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.open(row), 120);
  }

  async open(row, { focus = false, note = true } = {}) {
    clearTimeout(this.later);
    this.rows.choose(row);
    const { url } = row.dataset;
    const first = !this.shown;
    this.asking?.abort();
    const mine = new AbortController();
    this.asking = mine;
    const bones = setTimeout(() => this.skeleton(), LONG_MS);
    try {
      const answer = await fetch(url, { signal: mine.signal, headers: { 'X-Requested-With': 'fetch', Accept: 'text/html' }, credentials: 'same-origin' });
      const html = await answer.text();
      if (!answer.ok || answer.redirected || !html.includes('class="inside"')) { window.location.href = url; return; }
      clearTimeout(bones);
      this.place.innerHTML = html; // escaped by the server; the policy runs no script and no style in it
      this.place.hidden = false;
      this.main.classList.add('open');
      const inside = this.place.firstElementChild;
      document.title = `${inside.dataset.title} · ${this.home}`;
      if (note) window.history[first ? 'pushState' : 'replaceState']({ detail: true }, '', url);
      row.scrollIntoView({ block: 'nearest' });
      if (focus || this.phone.matches) inside.querySelector('.scroll').focus({ preventScroll: true });
    } catch (fault) {
      if (fault.name !== 'AbortError') window.location.href = url;
    } finally {
      clearTimeout(bones);
    }
  }

  skeleton() {
    const bones = document.createElement('div');
    bones.className = 'bones';
    bones.setAttribute('aria-busy', 'true');
    for (let i = 0; i < 6; i += 1) bones.append(document.createElement('i'));
    this.place.replaceChildren(bones);
    this.place.hidden = false;
    this.main.classList.add('open');
  }

  close({ note = true } = {}) {
    if (!this.shown) return;
    this.asking?.abort();
    const row = this.rows.chosen;
    this.place.hidden = true;
    this.place.replaceChildren();
    this.main.classList.remove('open');
    this.rows.choose(null);
    document.title = this.home;
    const { list, query } = this.main.dataset;
    if (note) window.history.pushState({}, '', query ? `${list}?${query}` : list);
    if (row) this.rows.stand(row);
  }

  /** Back and forward in the browser. */
  again() {
    const row = this.rows.all.find((one) => new URL(one.dataset.url, window.location.href).pathname === window.location.pathname);
    if (row) this.open(row, { note: false });
    else if (window.location.pathname === this.main.dataset.list) this.close({ note: false });
    else window.location.reload();
  }
}
