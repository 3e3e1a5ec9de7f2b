// The search box: results while typing, arrows and Enter to choose; choosing moves the map and asks there.
import { Latest } from './fetching.js';
import { icon } from './icon.js';
import { say } from './words.js';

const ICON = { grid: 'grid', community: 'map', person: 'person', frontage: 'shop', place: 'pin', address: 'route', coordinates: 'locate' };
const $ = (id) => document.getElementById(id);

export class Search {
  constructor(board, state, panel) {
    Object.assign(this, { board, state, panel });
    this.asking = new Latest('answer');
    this.input = $('seek-input');
    this.list = $('hits');
    this.results = [];
    this.active = -1;
    this.input.addEventListener('input', () => this.typed());
    this.input.addEventListener('keydown', (e) => this.key(e));
    this.input.addEventListener('focus', () => { if (this.results.length) this.open(true); });
    this.list.addEventListener('mousedown', (e) => e.preventDefault());
    this.list.addEventListener('click', (e) => {
      const item = e.target.closest('li[data-i]');
      if (item) this.choose(Number(item.dataset.i));
    });
    $('seek').addEventListener('submit', (e) => { e.preventDefault(); this.submit(); });
    document.addEventListener('click', (e) => { if (!$('seek').contains(e.target)) this.open(false); });
  }

  typed() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.find(), 160);
  }

  async find() {
    const q = this.input.value.trim();
    if (!q) { this.asking.stop(); this.results = []; this.open(false); return; }
    const answer = await this.asking.ask(`/map/search?q=${encodeURIComponent(q)}&on=${this.state.on}`);
    if (answer && this.input.value.trim() === q) this.fill(answer.results, q);
  }

  fill(results, q) {
    this.results = results;
    this.active = results.length ? 0 : -1;
    const rows = results.map((one, i) => {
      const li = document.createElement('li');
      li.id = `hit-${i}`;
      li.dataset.i = i;
      li.setAttribute('role', 'option');
      li.append(icon(ICON[one.kind] || 'pin'), Object.assign(document.createElement('b'), { textContent: one.title }));
      const sub = [say(`k_${one.kind}`), one.subtitle].filter(Boolean).join(' · ');
      li.append(Object.assign(document.createElement('small'), { textContent: sub }));
      return li;
    });
    if (!rows.length) {
      const li = document.createElement('li');
      li.setAttribute('role', 'option');
      li.setAttribute('aria-disabled', 'true');
      li.append(icon('search'), Object.assign(document.createElement('span'), { textContent: say('no_hit', { q }) }));
      rows.push(li);
    }
    this.list.replaceChildren(...rows);
    this.mark();
    this.open(true);
  }

  mark() {
    [...this.list.children].forEach((li, i) => li.setAttribute('aria-selected', String(i === this.active)));
    const li = this.list.children[this.active];
    if (li && this.results.length) { this.input.setAttribute('aria-activedescendant', li.id); li.scrollIntoView({ block: 'nearest' }); } else this.input.removeAttribute('aria-activedescendant');
  }

  open(shown) {
    this.list.hidden = !shown;
    this.input.setAttribute('aria-expanded', String(shown));
    if (!shown) this.input.removeAttribute('aria-activedescendant');
  }

  key(e) {
    if (e.isComposing) return;
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      if (!this.results.length) return;
      e.preventDefault();
      this.open(true);
      this.active = (this.active + (e.key === 'ArrowDown' ? 1 : -1) + this.results.length) % this.results.length;
      this.mark();
    } else if (e.key === 'Escape') {
      e.stopPropagation();
      if (this.list.hidden) this.input.blur(); else this.open(false);
    }
  }

  async submit() {
    clearTimeout(this.later);
    await this.find();
    if (this.results.length) this.choose(Math.max(0, this.active));
  }

  /** Moves the map to a result and asks there. */
  choose(i) {
    const one = this.results[i];
    if (!one) return;
    this.open(false);
    this.input.value = one.kind === 'coordinates' ? this.input.value : one.title;
    this.input.blur();
    const { map } = this.board;
    const far = this.padding();
    if (one.bbox && one.kind !== 'frontage') {
      const [west, south, east, north] = one.bbox;
      map.fitBounds([[south, west], [north, east]], { ...far, maxZoom: one.kind === 'community' ? 16 : 17.5 });
    } else map.setView([one.lat, one.lon], Math.max(map.getZoom(), 18));
    if (one.kind !== 'community') this.panel.ask(one.lon, one.lat, { focus: false });
  }

  padding() {
    const phone = this.panel.phone.matches;
    return phone ? { paddingTopLeft: [30, 60], paddingBottomRight: [30, Math.round(window.innerHeight * 0.45)] } : { paddingTopLeft: [230, 30], paddingBottomRight: [30, 30] };
  }
}
