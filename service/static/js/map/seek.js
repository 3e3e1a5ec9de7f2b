// The search box of every page: results while typing, arrows and Enter to choose, / to begin, Esc to leave.
import { LONG_MS, Latest, bones } from './fetching.js';
import { icon } from './icons.js';
import { say } from './words.js';

const ICON = {
  grid: 'grid', community: 'map', person: 'person', organisation: 'unit', frontage: 'shop', place: 'pin', street: 'route',
  building: 'house', incident: 'list', coordinates: 'locate',
};
const $ = (id) => document.getElementById(id);
const typing = (el) => /^(INPUT|SELECT|TEXTAREA)$/.test(el.tagName) || el.isContentEditable;

function make(name, given, ...inside) {
  const el = document.createElement(name);
  for (const [key, value] of Object.entries(given)) el.setAttribute(key, value);
  el.append(...inside);
  return el;
}

export class Seek {
  /** @param {(result: object) => void} chosen what happens with the result that was chosen
   *  @param {() => string} day the day that is asked for, empty for today */
  constructor(chosen, day = () => '') {
    Object.assign(this, { chosen, day });
    this.asking = new Latest('search');
    this.form = $('seek');
    this.input = $('seek-input');
    this.list = $('hits');
    this.results = [];
    this.options = [];
    this.active = -1;
    this.input.addEventListener('input', () => this.typed());
    this.input.addEventListener('keydown', (e) => this.key(e));
    this.input.addEventListener('focus', () => { if (this.results.length) this.open(true); });
    this.list.addEventListener('mousedown', (e) => e.preventDefault());
    this.list.addEventListener('click', (e) => {
      const item = e.target.closest('[data-i]');
      if (item) this.choose(Number(item.dataset.i));
    });
    this.form.addEventListener('submit', (e) => { e.preventDefault(); this.submit(); });
    document.addEventListener('click', (e) => { if (!this.form.contains(e.target)) this.open(false); });
    document.addEventListener('keydown', (e) => {
      if (e.key !== '/' || e.isComposing || e.ctrlKey || e.metaKey || e.altKey || typing(e.target)) return;
      e.preventDefault();
      this.input.focus();
      this.input.select();
    });
  }

  typed() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.find(), 160);
  }

  async find() {
    const q = this.input.value.trim();
    if (!q) { clearTimeout(this.long); this.asking.stop(); this.results = []; this.open(false); return; }
    const day = this.day();
    clearTimeout(this.long);
    this.long = setTimeout(() => this.wait(), LONG_MS);
    const answer = await this.asking.ask(`/map/search?q=${encodeURIComponent(q)}${day ? `&on=${day}` : ''}`);
    if (!this.asking.running) {
      clearTimeout(this.long);
      if (!answer && this.list.querySelector('.bones')) this.open(false);
    }
    if (answer && this.input.value.trim() === q) this.fill(answer.results, q);
  }

  /** One group a kind, in the server's order. */
  fill(results, q) {
    this.results = results;
    this.asked = q;
    this.options = results.map((one, i) => this.option(one, i));
    this.active = results.length ? 0 : -1;
    const groups = [];
    results.forEach((one, i) => {
      const name = say(`k_${one.kind}`);
      if (!i || results[i - 1].kind !== one.kind) {
        const inside = make('ul', { role: 'presentation' });
        const group = make('li', { role: 'group', 'aria-label': name }, make('span', { class: 'kind', 'aria-hidden': 'true' }, name), inside);
        groups.push({ group, inside });
      }
      groups[groups.length - 1].inside.append(this.options[i]);
    });
    if (results.length) this.list.replaceChildren(...groups.map(({ group }) => group));
    else this.note(say('no_hit', { q }), this.form.dataset.can);
    this.mark();
    this.open(true);
  }

  option(one, i) {
    const li = make('li', { id: `hit-${i}`, role: 'option', 'data-i': i }, icon(ICON[one.kind] || 'pin'), make('b', {}, one.title));
    if (one.subtitle) li.append(make('small', {}, one.subtitle));
    return li;
  }

  /** What is shown while the results take longer. */
  wait() {
    this.results = this.options = [];
    this.active = -1;
    const li = bones(4, 'li');
    for (const [name, value] of [['role', 'option'], ['aria-disabled', 'true'], ['aria-label', say('searching')]]) li.setAttribute(name, value);
    this.list.replaceChildren(li);
    this.open(true);
  }

  /** A sentence in the place of results. */
  note(text, more = '') {
    this.results = this.options = [];
    this.active = -1;
    const li = make('li', { role: 'option', 'aria-disabled': 'true', class: 'none' }, icon('search'), make('span', {}, text));
    if (more) li.append(make('small', {}, more));
    this.list.replaceChildren(li);
    this.open(true);
  }

  mark() {
    this.options.forEach((li, i) => li.setAttribute('aria-selected', String(i === this.active)));
    const li = this.options[this.active];
    if (!li) { this.input.removeAttribute('aria-activedescendant'); return; }
    this.input.setAttribute('aria-activedescendant', li.id);
    (this.active ? li : li.parentElement.parentElement).scrollIntoView({ block: 'nearest' });
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
      if (this.list.hidden) { this.input.blur(); return; }
      e.preventDefault(); // else the browser empties the field
      this.open(false);
    }
  }

  async submit() {
    clearTimeout(this.later);
    if (this.asked !== this.input.value.trim() || !this.results.length) await this.find();
    if (this.results.length) this.choose(Math.max(0, this.active));
  }

  choose(i) {
    const one = this.results[i];
    if (!one) return;
    this.open(false);
    if (one.kind !== 'coordinates') this.input.value = one.title;
    this.input.blur();
    this.chosen(one);
  }
}
