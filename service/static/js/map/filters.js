// One popover for the filters: period, state, category, community.
import { periodOf } from './state.js';
import { say } from './words.js';

const $ = (id) => document.getElementById(id);

export class Filters {
  constructor(state) {
    this.state = state;
    this.form = $('filters');
    this.button = $('pick');
    this.button.addEventListener('click', () => this.open(this.form.hidden));
    document.addEventListener('click', (e) => { if (!this.form.hidden && !$('sift').contains(e.target)) this.open(false); });
    this.form.addEventListener('keydown', (e) => { if (e.key === 'Escape') { e.stopPropagation(); this.open(false); this.button.focus(); } });
    this.form.addEventListener('change', () => this.read());
    this.form.addEventListener('submit', (e) => { e.preventDefault(); this.open(false); this.button.focus(); });
    this.form.addEventListener('reset', (e) => { e.preventDefault(); this.clear(); });
    for (const tab of this.form.querySelectorAll('[data-period]')) tab.addEventListener('click', () => this.preset(tab.dataset.period));
    state.told.push(() => this.show());
    this.show();
  }

  open(shown) {
    this.form.hidden = !shown;
    this.button.setAttribute('aria-expanded', String(shown));
    if (shown) this.form.querySelector('button, input').focus({ preventScroll: true });
  }

  preset(preset) {
    const [from, to] = periodOf(preset, this.state.today);
    this.state.set({ preset, from, to });
  }

  read() {
    const { elements } = this.form;
    const { from: { value: first }, to: { value: last } } = elements;
    const [from, to] = first && last && first > last ? [last, first] : [first, last];
    const status = [...elements.status].filter((box) => box.checked).map((box) => box.value);
    const changes = { from, to, category: elements.category.value, community: elements.community.value, status: status.length ? status : ['late', 'way', 'chk', 'rep'] };
    if (from !== this.state.from || to !== this.state.to) changes.preset = '';
    this.state.set(changes);
  }

  clear() {
    this.state.set({ preset: '', from: '', to: '', status: ['late', 'way', 'chk', 'rep'], category: '', community: '' });
  }

  show() {
    const { state } = this;
    const { elements } = this.form;
    elements.from.value = state.from;
    elements.to.value = state.to;
    elements.category.value = state.category;
    elements.community.value = state.community;
    for (const box of elements.status) box.checked = state.status.includes(box.value);
    for (const tab of this.form.querySelectorAll('[data-period]')) {
      tab.setAttribute('aria-pressed', String(state.preset ? tab.dataset.period === state.preset : !tab.dataset.period && !state.from && !state.to));
    }
    this.summary();
  }

  /** What the button says: the period, its days, and how many other filters. */
  summary() {
    const { state } = this;
    const words = (iso) => (iso.slice(0, 4) === state.today.slice(0, 4) ? iso.slice(5) : iso);
    const [a, b] = [words(state.from), words(state.to)];
    const days = state.from && state.to ? say('span', { a, b }) : state.from ? say('since', { a }) : state.to ? say('until', { b }) : '';
    $('pick-text').textContent = state.preset ? say(`p${state.preset}`) : days || say('all_period');
    const span = $('pick-span');
    span.textContent = days;
    span.hidden = !state.preset;
    const others = state.filters - (state.from || state.to ? 1 : 0);
    $('pick-n').textContent = others;
    $('pick-n').hidden = !others;
    this.button.classList.toggle('on', state.filters > 0);
  }
}
