// The desk: what all tools share, and the one place that saves.
import { byId, button, el } from './dom.js';
import { icon } from '../map/icons.js';
import { boundsOf, labelOf } from './shapes.js';
import { moment, short, word } from './words.js';

export class Desk {
  /** @param parts {map, board, model, grids, faults, pencil, api, state, config, tools} */
  constructor(parts) {
    Object.assign(this, parts);
    this.tool = null;
    this.refused = [];
    this.chosen = [];
    byId('task').addEventListener('submit', (e) => { e.preventDefault(); this.save(); });
    byId('task-off').addEventListener('click', () => this.drop());
  }

  tell(text) {
    const box = byId('say');
    box.textContent = text;
    box.hidden = !text;
    clearTimeout(this.later);
    this.later = setTimeout(() => { box.hidden = true; }, 5000);
  }

  /** What is wrong with what the tool has, beside it; '' clears. */
  bad(text) { const box = byId('task-bad'); box.textContent = text; box.hidden = !text; }

  // the tool in hand

  take(name, code = this.state.grid) {
    this.drop();
    const Kind = this.tools[name];
    if (!Kind || !this.model.can.edit) { if (!this.model.can.edit) this.tell(word('read_only')); return; }
    this.tool = new Kind(this);
    this.toolName = name;
    byId('task').hidden = false;
    byId('task').classList.toggle('multi', this.tool.multi);
    byId('task-name').textContent = document.querySelector(`[data-tool="${name}"] span`).firstChild.textContent;
    for (const one of document.querySelectorAll('[data-tool]')) one.setAttribute('aria-pressed', String(one.dataset.tool === name));
    const grid = code && this.model.grids.get(code);
    this.tool.begin(grid ? code : null);
    this.changed();
  }

  drop() {
    if (!this.tool) return;
    const { tool } = this;
    this.tool = null;
    this.toolName = null;
    tool.end();
    this.showRefused([]);
    this.bad('');
    byId('task').hidden = true;
    for (const id of ['task-body', 'task-ends']) byId(id).replaceChildren();
    for (const one of document.querySelectorAll('[data-tool]')) one.setAttribute('aria-pressed', 'false');
    this.changed();
  }

  /** One grid is chosen: outlined, its facts in the panel. */
  choose(code, bring = false) {
    this.state.grid = code && this.model.grids.has(code) ? code : null;
    if (bring && this.state.grid) this.bring(code);
    this.board.request('over');
    this.changed();
  }

  pick(codes) {
    this.grids.picked = new Set(codes);
    this.board.request('over');
    this.changed();
  }

  /** Moves the map so that a grid is in sight. */
  bring(code) {
    const box = this.grids.find(code)?.box;
    if (!box) return;
    const { frame } = this.board;
    const bounds = window.L.latLngBounds([frame.lat(box[1]), frame.lon(box[0])], [frame.lat(box[3]), frame.lon(box[2])]);
    if (!this.map.getBounds().contains(bounds)) this.map.fitBounds(bounds, { padding: [60, 60], maxZoom: Math.max(this.map.getZoom(), 17) });
  }

  /** Moves the map so that [west, south, east, north] is in sight, with the zoom as it is where that can be. */
  see([west, south, east, north]) {
    const bounds = window.L.latLngBounds([south, west], [north, east]);
    if (!this.map.getBounds().contains(bounds)) this.map.fitBounds(bounds.pad(0.5).extend(this.map.getBounds().getCenter()), { padding: [30, 30], maxZoom: this.map.getZoom() });
  }

  /** Goes near enough to [west, south, east, north] that single vertices can be taken. */
  near([west, south, east, north]) {
    const bounds = window.L.latLngBounds([south, west], [north, east]);
    const size = this.map.getSize();
    const [a, b] = [this.map.latLngToContainerPoint(bounds.getNorthWest()), this.map.latLngToContainerPoint(bounds.getSouthEast())];
    if (Math.max(Math.abs(b.x - a.x) / size.x, Math.abs(b.y - a.y) / size.y) > 0.45 && this.map.getBounds().contains(bounds)) return;
    const left = document.getElementById('tools').classList.contains('shut') ? 30 : 240;
    const sheet = window.matchMedia('(max-width: 767px)').matches ? size.y * 0.5 : 0;
    this.map.fitBounds(bounds, { paddingTopLeft: [sheet ? 30 : left, 40], paddingBottomRight: [40, 40 + sheet], maxZoom: 20 });
  }

  /** A click on the map, or on a grid of the list. */
  clicked(code, latlng = null) {
    if (this.pencil.drawing) return;
    if (this.tool) {
      if (code || latlng) this.tool.clicked(code, latlng);
    } else this.choose(code);
  }

  changed() { for (const fn of this.chosen) fn(); }

  // saving

  /** Enter, or the tool's button. */
  async save() {
    if (!this.tool?.savable || this.saving) return;
    const { tool } = this;
    this.busy(true);
    const done = await tool.save();
    this.busy(false);
    if (done && this.tool === tool) tool.after();
  }

  busy(on) {
    this.saving = on;
    byId('task').toggleAttribute('data-busy', on);
    for (const one of byId('task-ends').querySelectorAll('button')) one.disabled = on || (one.classList.contains('main') && !this.tool?.savable);
  }

  /** Saves a step; what was drawn stays when it is refused. True when it was saved. */
  async step(body) {
    this.bad('');
    const answer = await this.api.post('/steps', { version: this.model.version, ...body });
    return this.took(answer, 'step');
  }

  async replay(kind) {
    if (!this.model.can[kind] || this.saving) return;
    this.drop();
    this.saving = true;
    this.took(await this.api.post(`/${kind}`, { version: this.model.version }), kind);
    this.saving = false;
  }

  async took(answer, kind) {
    if (answer.ok) {
      this.showRefused([]);
      this.settle();
      const before = this.state.grid;
      this.model.apply(answer.body, kind);
      if (before && !this.model.grids.has(before)) this.choose(null);
      const told = answer.body.told || [];
      const { step } = answer.body;
      if (told.length) this.tell(told.join(' ')); else if (kind === 'step' && step) this.tell(word('saved', { words: step.words }));
      return true;
    }
    if (answer.status === 409 && answer.body.version !== undefined) { await this.conflict(answer.body); return false; }
    const faults = answer.body.faults || [];
    this.showRefused(faults);
    if (this.refused.length) this.see(boundsOf(this.refused.map((one) => one.geometry)));
    const why = faults.length ? `${answer.why} ${word('refused_advice')}` : answer.status === 0 || answer.status === 401 ? answer.why : word('failed', { why: answer.why });
    if (this.tool) this.bad(why); else this.tell(why);
    return false;
  }

  showRefused(faults) {
    this.refused = faults.filter((one) => one.geometry);
    this.faults.show(this.model.faults, this.refused);
  }

  /** Somebody else saved first: their change is shown, the draft is read again, what was drawn here stays. */
  async conflict({ steps = [], changed = [], removed = [] }) {
    const fresh = await this.api.get();
    if (fresh.ok) this.model.load(fresh.body);
    this.mark(changed.map((feature) => feature.properties.code));
    const [first] = this.grids.others;
    if (first) this.bring(first);
    const box = byId('conflict');
    const gone = removed.filter((code) => !this.model.grids.has(code));
    box.replaceChildren(
      el('h2', {}, icon('warn'), word('conflict')),
      el('ul', {}, ...steps.map((step) => el('li', {}, step.words, el('small', { textContent: `${step.actor}　${moment(step.at)}` })))),
      gone.length ? el('p', { textContent: word('removed', { codes: gone.map(short).join(word('comma')) }) }) : '',
      el('p', { textContent: word(this.pencil.layer || this.tool ? 'conflict_words' : 'conflict_more') }),
      el('div', { className: 'ends' }, button(word('seen'), () => this.settle())),
    );
    box.hidden = false;
    this.tool?.refresh();
  }

  /** Grids that somebody else changed are framed until the next save, or until they have been seen. */
  mark(codes) {
    this.grids.others = new Set(codes);
    this.board.request('over');
  }

  /** The other's change has been seen. */
  settle() {
    byId('conflict').hidden = true;
    if (!this.grids.others.size) return;
    this.mark([]);
  }

  // codes

  /** The next free code for a grid at a place (or within a grid); '' when it can't be told. */
  async nextCode(code, at = null) {
    const [lon, lat] = at || labelOf(this.model.grids.get(code).geometry).at;
    const answer = await this.api.get(`/codes?near=${lon.toFixed(6)},${lat.toFixed(6)}`);
    return answer.ok ? { code: answer.body.next?.code || '', name: answer.body.next?.name || '', micro: answer.body.micro || '' } : { code: '', name: '', micro: '' };
  }

  /** {old: new} of a whole renumbering, only what moves; null when it can't be told. */
  async proposal() {
    const answer = await this.api.get('/codes');
    if (!answer.ok) { this.bad(answer.why); return null; }
    return answer.body.codes;
  }
}
