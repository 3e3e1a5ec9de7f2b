// The panel's four pages: grids, steps, faults, duties.
import { icon } from '../map/icons.js';
import { byId, button, el, select } from './dom.js';
import { labelOf, ringsOf } from './shapes.js';
import { area, moment, short, word } from './words.js';

const PAGES = ['grids', 'steps', 'faults', 'duties'];
const part = (title, ...children) => el('section', { className: 'sec' }, title ? el('h3', {}, ...[title].flat()) : null, ...children);
const note = (text) => el('p', { className: 'note3', textContent: text });

export class Pages {
  constructor(desk) {
    this.desk = desk;
    this.words = '';
    for (const key of PAGES) byId(`tab-${key}`).addEventListener('click', () => this.open(key));
    document.querySelector('.pages').addEventListener('keydown', (e) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (!by) return;
      const next = PAGES[(PAGES.indexOf(this.here) + by + 4) % 4];
      this.open(next);
      byId(`tab-${next}`).focus();
    });
    this.here = 'grids';
    desk.chosen.push(() => this.grids());
    desk.model.told.push(() => this.all());
  }

  open(page) {
    this.here = page;
    for (const key of PAGES) {
      byId(`tab-${key}`).setAttribute('aria-selected', String(key === page));
      byId(`tab-${key}`).tabIndex = key === page ? 0 : -1;
      byId(`page-${key}`).hidden = key !== page;
    }
  }

  all() {
    const { model } = this.desk;
    byId('n-grids').textContent = model.tiles.length;
    byId('n-steps').textContent = model.done.length;
    byId('n-faults').textContent = model.faults.length || '';
    byId('n-faults').className = model.faults.length ? 'hot' : '';
    byId('n-duties').textContent = model.vacant.length || '';
    byId('n-duties').className = model.vacant.length ? 'hot' : '';
    const last = model.done[model.done.length - 1];
    byId('last').textContent = last ? word('last', { n: last.number, who: last.actor, at: moment(last.at) }) : word('no_step');
    byId('undo').disabled = !model.can.undo;
    byId('redo').disabled = !model.can.redo;
    byId('publish').hidden = !model.can.publish;
    for (const one of document.querySelectorAll('[data-tool]')) one.disabled = !model.can.edit && one.dataset.tool !== 'mend';
    this.grids(); this.steps(); this.faults(); this.duties();
  }

  // the chosen grid, and all of them

  grids() {
    const { desk } = this;
    const place = byId('page-grids');
    const chosen = desk.model.grids.get(desk.state.grid);
    const kept = place.scrollTop;
    place.replaceChildren(...[chosen ? this.one(chosen) : null, this.list()].filter(Boolean));
    place.scrollTop = chosen && chosen.code !== this.shown ? 0 : kept;
    this.shown = chosen?.code;
  }

  one(grid) {
    const { desk } = this;
    const from = grid.origin ? (grid.origin === grid.code ? '' : word('origin_moved', { code: grid.origin })) : grid.cut_from?.length ? word('origin_new', { codes: grid.cut_from.map(short).join(word('comma')) }) : word('origin_drawn');
    const fact = (label, value, more) => el('div', {}, el('dt', { textContent: label }), el('dd', {}, value === null || value === undefined ? word('none') : String(value), more ? el('small', { textContent: ` ${more}` }) : null));
    const tools = grid.kind === 'micro_grid' ? ['name', 'facts', 'assign'] : ['split', 'reshape', 'name', 'facts', 'assign'];
    const shut = el('button', { type: 'button', className: 'act icon', on: { click: () => desk.choose(null) } }, icon('close'));
    shut.setAttribute('aria-label', word('cancel'));
    return el(
      'section',
      { className: 'sec one-grid' },
      el('h3', {}, el('span', { className: 'code num', textContent: grid.code }), this.tag(grid), shut),
      el('h2', { textContent: grid.name }),
      el('p', { className: 'from', textContent: [word(grid.kind), grid.parent_code ? word('parent', { code: short(grid.parent_code) }) : '', from].filter(Boolean).join('　') }),
      el('dl', { className: 'quad' }, fact(word('area'), area(grid.area_m2)), fact(word('households'), grid.households), fact(word('population'), grid.population)),
      grid.estimated ? el('p', { className: 'from', textContent: word('estimated') }) : null,
      grid.notes ? el('p', { className: 'from', textContent: grid.notes }) : null,
      el('div', { className: 'held' }, el('span', { className: 'r', textContent: word('leader') }), el('span', { className: 'who2' }, grid.leader ? grid.leader.name : el('span', { className: 'none2', textContent: word('vacant') }), grid.leader?.planned ? el('em', { textContent: word('planned') }) : null)),
      ...(grid.planned || []).map((plan) => this.plan(plan)),
      desk.tool || !desk.model.can.edit ? null : el('div', { className: 'quick' }, ...tools.map((name) => button(document.querySelector(`[data-tool="${name}"] span`).firstChild.textContent, () => desk.take(name, grid.code)))),
    );
  }

  plan(plan, grid = null) {
    const off = button(word('remove'), () => this.desk.step({ step: 'unassign', id: plan.id }), { look: 'act small bare' });
    off.setAttribute('aria-label', `${word('remove')} ${plan.role_name} ${plan.person.name}`);
    return el('div', { className: 'held' }, el('span', { className: 'r', textContent: grid ? short(grid.code) : plan.role_name }), el('span', { className: 'who2' }, grid ? `${plan.role_name} ` : '', plan.person.name, plan.until ? el('small', { textContent: ` → ${plan.until}` }) : null, el('em', { textContent: word('planned') })), this.desk.model.can.edit ? off : null);
  }

  tag(grid) {
    if (grid.status === 'unchanged') return null;
    return el('span', { className: `tag ${grid.status}`, textContent: word(grid.status) });
  }

  list() {
    const { desk } = this;
    const multi = desk.tool?.multi;
    const rows = desk.model.list.filter((grid) => !this.words || `${grid.code} ${grid.name}`.includes(this.words));
    const search = el('input', { type: 'search', className: 'seek2', value: this.words, placeholder: word('search'), on: { input: (e) => { this.words = e.target.value.trim(); this.rows.replaceChildren(...this.items()); } } });
    search.setAttribute('aria-label', word('search'));
    this.items = () => desk.model.list.filter((grid) => !this.words || `${grid.code} ${grid.name}`.includes(this.words)).map((grid) => this.row(grid, multi));
    this.rows = el('ul', { className: 'list2' }, ...rows.map((grid) => this.row(grid, multi)));
    const gone = desk.model.gone.length ? note(word('grids_gone', { codes: desk.model.gone.map(short).join(word('comma')) })) : null;
    return part(null, desk.model.list.length > 30 ? search : null, gone, this.rows);
  }

  row(grid, multi) {
    const { desk } = this;
    const box = el('input', { type: 'checkbox', className: 'pick2', checked: desk.grids.picked.has(grid.code), on: { change: () => desk.clicked(grid.code) } });
    box.setAttribute('aria-label', `${short(grid.code)} ${grid.name}`);
    const go = el(
      'button',
      { type: 'button', className: 'row', on: { click: () => { if (desk.tool) desk.clicked(grid.code); else { desk.choose(grid.code, true); byId('page-grids').scrollTop = 0; } } } },
      el('b', { className: grid.kind === 'micro_grid' ? 'num small2' : 'num', textContent: grid.kind === 'micro_grid' ? `└ ${grid.code.slice(-2)}` : short(grid.code) }),
      el('span', {}, grid.name),
      el('small', {}, this.tag(grid), !grid.leader && grid.kind !== 'micro_grid' ? el('span', { className: 'tag vacant', textContent: word('vacant') }) : null, ` ${area(grid.area_m2)}`),
    );
    if (grid.code === desk.state.grid) go.setAttribute('aria-current', 'true');
    return el('li', {}, multi ? box : null, go);
  }

  // what was done

  steps() {
    const { steps } = this.desk.model;
    const items = [...steps].reverse().map((step) => el('li', { className: step.undone ? 'undone' : '' }, el('span', { className: 'n2 num', textContent: step.number }), el('p', { textContent: step.words }), el('small', { textContent: `${step.actor}　${moment(step.at)}${step.undone ? `　${word('undone')}` : ''}` })));
    byId('page-steps').replaceChildren(part(null, items.length ? el('ol', { className: 'steps2' }, ...items) : note(word('no_step'))));
  }

  // what doesn't tile

  faults() {
    const { model } = this.desk;
    const rows = model.faults.map((fault) => this.fault(fault));
    const told = model.warnings.length ? part(word('warning'), ...model.warnings.map(note)) : null;
    byId('page-faults').replaceChildren(part(null, ...(rows.length ? rows : [note(word('no_faults'))])), ...(told ? [told] : []));
  }

  fault(fault) {
    const { desk } = this;
    const { at } = labelOf(fault.geometry);
    const where = ringsOf(fault.geometry)[0];
    const codes = fault.codes.filter((code) => desk.model.grids.has(code));
    const to = select(codes.map((code) => [code, `${short(code)} ${desk.model.grids.get(code).name}`]), codes[0]);
    to.setAttribute('aria-label', word(fault.kind === 'gap' ? 'give_to' : 'cut_to'));
    const mend = async () => {
      const body = { step: 'mend', fault: { kind: fault.kind, codes: fault.codes, at } };
      if (fault.kind !== 'overhang' || codes.length > 1) body.to = to.value;
      await desk.step(body);
    };
    const see = () => {
      const lats = where.map(([, lat]) => lat);
      const lons = where.map(([lon]) => lon);
      desk.map.fitBounds([[Math.min(...lats), Math.min(...lons)], [Math.max(...lats), Math.max(...lons)]], { padding: [80, 80], maxZoom: 20 });
    };
    return el(
      'div',
      { className: 'fault2' },
      el('p', {}, el('b', { textContent: word('fault_words', { kind: word(fault.kind), area: area(fault.area_m2) }) }), `　${fault.codes.map(short).join(word('comma'))}`),
      fault.inherited ? el('p', { className: 'quiet', textContent: word('inherited') }) : null,
      el('div', { className: 'does2' }, button(word('zoom_to'), see, { sign: 'fit' }), desk.model.can.edit ? el('span', { textContent: fault.kind === 'overhang' ? '' : word(fault.kind === 'gap' ? 'give_to' : 'cut_to') }) : null, desk.model.can.edit && fault.kind !== 'overhang' ? to : null, desk.model.can.edit ? button(word(fault.kind === 'overhang' ? 'mend_overhang' : 'mend'), mend, { look: 'act small main' }) : null),
    );
  }

  // who answers

  duties() {
    const { desk } = this;
    const { vacant, plans } = desk.model;
    const fresh = desk.model.tiles.filter((grid) => grid.status === 'new' && !(grid.planned || []).length && (grid.cut_from || []).length);
    const assign = desk.model.can.edit && vacant.length ? button(word('assign_these', { n: vacant.length }), () => { desk.take('assign', null); desk.pick(vacant.map((grid) => grid.code)); desk.tool?.show(); }, { sign: 'person' }) : null;
    const copy = desk.model.can.edit && fresh.length ? button(word('copy_all'), () => desk.step({ step: 'copy_duties', grids: fresh.map((grid) => grid.code) }), { sign: 'history' }) : null;
    byId('page-duties').replaceChildren(
      part([word('vacant_list'), el('b', { textContent: vacant.length })], vacant.length ? el('ul', { className: 'list2' }, ...vacant.map((grid) => this.row(grid, false))) : note(word('all_held')), vacant.length ? el('div', { className: 'quick one-grid' }, ...[assign, copy].filter(Boolean)) : null),
      part([word('planned_list'), el('b', { textContent: plans.length })], ...(plans.length ? plans.map((plan) => this.plan(plan, plan.grid)) : [note(word('no_plans'))])),
    );
  }
}
