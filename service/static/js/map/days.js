// The day whose grids and duties are shown: a month to choose from, with the days on which boundaries begin to hold.
import { addDays } from './state.js';
import { say, spokenDay } from './words.js';

const $ = (id) => document.getElementById(id);
const MONTH_ROWS = 6;

/** The Monday on or before the first of an ISO day's month. */
function firstShown(iso) {
  const first = `${iso.slice(0, 7)}-01`;
  return addDays(first, -((new Date(`${first}T00:00:00Z`).getUTCDay() + 6) % 7));
}

/** The same day `n` months away, or the month's last day. */
function addMonths(iso, n) {
  const [year, month, day] = iso.split('-').map(Number);
  const last = new Date(Date.UTC(year, month + n, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + n, Math.min(day, last))).toISOString().slice(0, 10);
}

export class Days {
  constructor(state, grids) {
    this.state = state;
    this.editions = [];
    this.form = $('days');
    this.button = $('day');
    this.month = state.on;
    this.button.addEventListener('click', () => this.open(this.form.hidden));
    document.addEventListener('click', (e) => { if (!this.form.hidden && e.target.isConnected && !$('dates').contains(e.target)) this.open(false); });
    this.form.addEventListener('keydown', (e) => this.key(e));
    this.form.addEventListener('submit', (e) => { e.preventDefault(); this.open(false); this.button.focus(); });
    $('by-day').addEventListener('change', (e) => this.choose(e.target.value || state.today));
    for (const step of this.form.querySelectorAll('[data-step]')) step.addEventListener('click', () => this.turn(Number(step.dataset.step)));
    for (const to of document.querySelectorAll('[data-to-today]')) to.addEventListener('click', () => this.choose(state.today));
    $('month').addEventListener('click', (e) => { const day = e.target.closest('[data-day]'); if (day) { this.choose(day.dataset.day); this.open(false); this.button.focus(); } });
    $('day-marks').addEventListener('click', (e) => { const day = e.target.closest('[data-day]'); if (day) this.choose(day.dataset.day); });
    grids.ready.push(() => { this.editions = grids.editions; this.show(); });
    state.told.push((changed) => { if (changed.has('on')) this.show(); });
    this.show();
  }

  open(shown) {
    this.form.hidden = !shown;
    this.button.setAttribute('aria-expanded', String(shown));
    if (!shown) return;
    this.month = this.state.on;
    this.show();
    this.form.querySelector('[aria-current="date"]')?.focus({ preventScroll: true });
  }

  choose(day) {
    this.month = day;
    this.state.set({ on: day });
    this.show();
  }

  turn(months) {
    this.month = addMonths(this.month, months);
    this.show();
  }

  key(e) {
    if (e.key === 'Escape') { e.stopPropagation(); this.open(false); this.button.focus(); return; }
    const at = e.target.closest('#month [data-day]');
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[e.key];
    if (!at || !step) return;
    e.preventDefault();
    const to = addDays(at.dataset.day, step);
    if (!to.startsWith(this.month.slice(0, 7))) { this.month = to; this.show(); }
    $('month').querySelector(`[data-day="${to}"]`)?.focus();
  }

  show() {
    const { state } = this;
    const elsewhere = state.on !== state.today;
    $('by-day').value = state.on;
    $('day-text').textContent = elsewhere ? (state.on.slice(0, 4) === state.today.slice(0, 4) ? state.on.slice(5) : state.on) : say('today');
    this.button.classList.toggle('on', elsewhere);
    this.button.setAttribute('aria-label', say('day_chosen', { day: spokenDay(state.on) }));
    $('dayline').hidden = !elsewhere;
    $('dayline-text').textContent = say('on_day', { day: spokenDay(state.on) });
    this.calendar();
    this.marks();
  }

  calendar() {
    const { state } = this;
    const begins = new Map(this.editions.map((one) => [one.on, one.communities.join(say('and'))]));
    $('month-name').textContent = say('month', { year: this.month.slice(0, 4), month: Number(this.month.slice(5, 7)) });
    const first = firstShown(this.month);
    const cells = Array.from({ length: MONTH_ROWS * 7 }, (_, i) => {
      const day = addDays(first, i);
      const cell = Object.assign(document.createElement('button'), { type: 'button', textContent: Number(day.slice(8)), tabIndex: -1 });
      cell.dataset.day = day;
      if (!day.startsWith(this.month.slice(0, 7))) cell.classList.add('aside');
      if (day === state.today) cell.classList.add('today');
      if (day === state.on) cell.setAttribute('aria-current', 'date');
      if (begins.has(day)) cell.classList.add('begins');
      cell.setAttribute('aria-label', begins.has(day) ? `${spokenDay(day)} ${say('begins', { who: begins.get(day) })}` : spokenDay(day));
      return cell;
    });
    const entry = cells.find((cell) => cell.dataset.day === state.on) || cells.find((cell) => !cell.classList.contains('aside'));
    entry.tabIndex = 0;
    $('month').replaceChildren(...cells);
  }

  /** The days on which an edition begins, the latest first. */
  marks() {
    const { state } = this;
    $('day-editions').hidden = !this.editions.length;
    $('day-marks').replaceChildren(...[...this.editions].reverse().map(({ on, communities }) => {
      const row = document.createElement('li');
      const button = Object.assign(document.createElement('button'), { type: 'button' });
      button.dataset.day = on;
      button.setAttribute('aria-pressed', String(on === state.on));
      const what = Object.assign(document.createElement('span'), { textContent: communities.length > 2 ? say('n_communities', { n: communities.length }) : communities.join(say('and')) });
      button.append(Object.assign(document.createElement('b'), { textContent: spokenDay(on) }), what);
      if (on > state.today) button.append(Object.assign(document.createElement('em'), { textContent: say('to_come') }));
      row.append(button);
      return row;
    }));
  }
}
