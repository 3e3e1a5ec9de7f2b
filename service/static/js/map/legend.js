// The layer card, which is the legend too: toggles, colourings, keys and counts.
import { FRONTAGES_FROM } from './frontages.js';
import { icon } from './icons.js';
import { say } from './words.js';

const MOST_KEYS = 10;
const $ = (id) => document.getElementById(id);
const all = (selector) => document.querySelectorAll(selector);

function key(symbol, text, n) {
  const p = Object.assign(document.createElement('p'), { className: 'key' });
  p.append(icon(symbol, 'sw'), Object.assign(document.createElement('span'), { className: 't', textContent: text }));
  if (n !== undefined) p.append(Object.assign(document.createElement('span'), { className: 'n', textContent: n }));
  return p;
}

const note = (text, cls) => Object.assign(document.createElement('p'), { className: `key ${cls}`, textContent: text });
const figure = (value) => String(Number(value.toPrecision(2)));

export class Legend {
  constructor(board, state, grids) {
    Object.assign(this, { board, state, grids });
    this.card = $('legend');
    this.fold(this.card.classList.contains('shut'));
    $('fold').addEventListener('click', () => this.fold(!this.card.classList.contains('shut')));
    for (const box of all('[data-layer]')) {
      box.checked = !state.hidden.has(box.dataset.layer);
      box.addEventListener('change', () => state.toggle(box.dataset.layer, box.checked));
    }
    for (const tab of all('[data-paint]')) tab.addEventListener('click', () => state.set({ paint: tab.dataset.paint }));
    state.told.push((changed) => { if (changed.has('paint') || changed.has('hidden')) this.show(); });
    grids.ready.push(() => this.fill());
    board.after.push((view) => this.far(view));
    this.show();
  }

  fold(shut) {
    this.card.classList.toggle('shut', shut);
    $('fold').setAttribute('aria-expanded', String(!shut));
    $('fold').setAttribute('aria-label', say(shut ? 'unfold' : 'fold'));
    this.board.request('over');
  }

  show() {
    const { state } = this;
    for (const tab of all('[data-paint]')) tab.setAttribute('aria-pressed', String(tab.dataset.paint === state.paint));
    for (const keys of all('[data-paint-key]')) keys.hidden = keys.dataset.paintKey !== state.paint || state.hidden.has('grids');
    for (const keys of all('[data-key]')) keys.hidden = state.hidden.has(keys.dataset.key);
    for (const box of all('[data-layer]')) box.checked = !state.hidden.has(box.dataset.layer);
  }

  /** What depends on the day's grids. */
  fill() {
    const { list, communities, rate } = this.grids;
    for (const el of all('#n-grids, [data-n="grids"]')) el.textContent = list.length;
    const shown = communities.length > MOST_KEYS ? communities.slice(0, MOST_KEYS - 1) : communities;
    const rows = shown.map((c) => key(`com-${c.colour}`, c.name, c.members.length));
    if (shown.length < communities.length) rows.push(note(say('more_communities', { n: communities.length - shown.length }), 'many'));
    $('key-com').replaceChildren(...rows);
    const { limits, tints, unit } = rate;
    const words = [...tints].map((_, i) => {
      const a = limits[i - 1]; const b = limits[i];
      if (a === undefined && b === undefined) return say('above', { a: '0' });
      if (a === undefined) return say('below', { b: figure(b) });
      return b === undefined ? say('above', { a: figure(a) }) : say('between', { a: figure(a), b: figure(b) });
    });
    const none = key('q-0', say('zero'), list.filter((grid) => rate.classOf(grid) === 0).length);
    const classes = rate.any ? tints.map((tint, i) => key(`q-${tint}`, words[i], list.filter((grid) => rate.classOf(grid) === tint).length)) : [];
    $('key-rate').replaceChildren(note(say('rate_head', { unit: say(unit) }), 'hd'), none, ...classes);
    const masked = list.some((grid) => grid.leader && grid.leader.includes('*')); // one colour a person needs whole names
    for (const tab of all('[data-paint="leader"]')) tab.hidden = masked;
    if (masked && this.state.paint === 'leader') this.state.set({ paint: 'com' });
    const vacant = list.filter((grid) => grid.vacant).length;
    for (const el of all('[data-n="vacant"]')) el.textContent = vacant;
    for (const el of all('[data-n="held"]')) el.textContent = list.length - vacant;
    const select = $('by-community');
    if (select && select.options.length === 1) {
      for (const c of communities) select.append(new Option(c.name, c.code));
      select.value = this.state.community;
    }
  }

  /** Counts by state under the filters. */
  counts(byState, total) {
    for (const [state, n] of Object.entries(byState)) {
      for (const el of all(`[data-state="${state}"] .n`)) el.textContent = n.toLocaleString('en-US');
      for (const row of all(`p[data-state="${state}"]`)) row.hidden = !this.state.status.includes(state);
    }
    for (const el of all('[data-n="total"]')) el.textContent = total.toLocaleString('en-US');
    for (const el of all('[data-word="incidents"]')) el.textContent = say(this.state.openOnly ? 'open_incidents' : 'incidents');
  }

  far(view) {
    const hint = $('frontages-far');
    if (hint) hint.hidden = view.s >= FRONTAGES_FROM;
  }
}
