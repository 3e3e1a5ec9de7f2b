// Names, codes, and the other attributes of one grid.
import { button, el, field, select } from './dom.js';
import { Tool } from './tool.js';
import { word } from './words.js';

class OfOne extends Tool {
  clicked(code) {
    this.code = code;
    this.desk.choose(code);
    this.ready = true;
    this.open(this.desk.model.grids.get(code));
    this.show();
  }

  refresh() { if (this.code && !this.desk.model.grids.has(this.code)) { this.code = null; this.ready = false; } this.show(); }

  after() { this.desk.drop(); }
}

export class Naming extends OfOne {
  open(grid) {
    this.nameField = el('input', { type: 'text', maxLength: 100, value: grid.name });
    this.codeField = el('input', { type: 'text', maxLength: 40, value: grid.code });
  }

  async show() {
    this.form(...(this.ready ? [el('div', { className: 'two' }, field(word('name'), this.nameField), field(word('code'), this.codeField))] : []), this.whole());
    if (!this.ready) this.hint('hint_name'); else this.hint('hint_edit');
    this.ends(...(this.ready ? [this.cancelButton(), this.saveButton()] : []));
  }

  /** The whole community's codes, west to east and north to south. */
  whole() {
    const place = el('div', { className: 'whole' });
    place.append(button(word('whole_codes'), async () => {
      const proposal = await this.desk.proposal();
      if (!proposal) return;
      const moved = Object.entries(proposal).filter(([from, to]) => from !== to);
      if (!moved.length) { place.replaceChildren(el('p', { className: 'note3', textContent: word('whole_none') })); return; }
      place.replaceChildren(
        el('ul', { className: 'codes num' }, ...moved.map(([from, to]) => el('li', {}, from, el('b', { textContent: to })))),
        el('div', { className: 'ends' }, button(word('recode_all', { n: moved.length }), async () => { if (await this.desk.step({ step: 'recode', codes: Object.fromEntries(moved) })) this.desk.drop(); }, { look: 'act main' })),
      );
    }, { look: 'act small' }));
    return place;
  }

  async save() {
    const { desk } = this;
    const grid = desk.model.grids.get(this.code);
    const [name, code] = [this.nameField.value.trim(), this.codeField.value.trim()];
    if (name === grid.name && code === grid.code) { desk.bad(word('nothing_changed')); return false; }
    if (name !== grid.name && !await desk.step({ step: 'rename', code: this.code, name })) return false;
    if (code === grid.code) return true;
    if (!await desk.step({ step: 'recode', code: this.code, new_code: code })) return false;
    desk.choose(code);
    return true;
  }
}

const NUMBERS = ['households', 'population'];

export class Facts extends OfOne {
  open(grid) {
    this.fields = Object.fromEntries(NUMBERS.map((key) => [key, el('input', { type: 'number', min: 0, step: 1, value: grid[key] ?? '', inputMode: 'numeric' })]));
    this.fields.notes = el('textarea', { maxLength: 2000, value: grid.notes || '' });
    this.kind = grid.kind;
  }

  show() {
    if (!this.ready) { this.hint('hint_facts'); this.form(); this.ends(); return; }
    this.hint('hint_edit');
    this.form(
      el('div', { className: 'two' }, ...NUMBERS.map((key) => field(word(key), this.fields[key]))),
      this.kind === 'micro_grid' ? null : field(word('kind'), select(['grid', 'special'].map((key) => [key, word(key)]), this.kind, (key) => { this.kind = key; })),
      field(word('notes'), this.fields.notes),
    );
    this.ends(this.cancelButton(), this.saveButton());
  }

  save() {
    const grid = this.desk.model.grids.get(this.code);
    const body = {};
    for (const key of NUMBERS) { const value = this.fields[key].value === '' ? null : Number(this.fields[key].value); if (value !== (grid[key] ?? null)) body[key] = value; }
    const notes = this.fields.notes.value.trim() || null;
    if (notes !== (grid.notes || null)) body.notes = notes;
    if (this.kind !== grid.kind) body.kind = this.kind;
    if (!Object.keys(body).length && !grid.estimated) { this.desk.bad(word('nothing_changed')); return Promise.resolve(false); }
    if (grid.estimated && body.households === undefined) body.households = grid.households;
    return this.desk.step({ step: 'attributes', code: this.code, ...body });
  }
}
