// Gives grids their people from the day of the new edition.
import { ask } from './api.js';
import { button, el, field, select } from './dom.js';
import { Tool } from './tool.js';
import { word } from './words.js';

export class Assign extends Tool {
  constructor(desk) { super(desk); this.multi = true; }

  begin(code) {
    this.role = this.desk.config.roles[0].code;
    this.until = el('input', { type: 'date', min: this.desk.config.today });
    this.person = null;
    this.search = el('input', { type: 'search', placeholder: word('person_hint'), autocomplete: 'off', maxLength: 40, on: { input: () => this.seek() } });
    this.search.setAttribute('aria-label', word('person'));
    this.found = el('div', { className: 'people', hidden: true });
    this.desk.pick(code ? [code] : [...this.desk.grids.picked]);
    this.show();
  }

  clicked(code) {
    const { grids } = this.desk;
    this.desk.pick(grids.picked.has(code) ? [...grids.picked].filter((one) => one !== code) : [...grids.picked, code]);
    this.show();
  }

  get codes() { return [...this.desk.grids.picked].filter((code) => this.desk.model.grids.has(code)); }

  get savable() { return this.codes.length > 0 && !!this.person; }

  seek() {
    this.person = null;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.people(), 220);
    this.endsAgain();
  }

  async people() {
    const words = this.search.value.trim();
    if (!words) { this.found.hidden = true; return; }
    const answer = await ask(`/api/v1/people?limit=8&q=${encodeURIComponent(words)}`, { method: 'GET' });
    if (words !== this.search.value.trim()) return;
    const rows = answer.ok ? answer.body.items : [];
    this.found.hidden = false;
    this.found.replaceChildren(...(rows.length ? rows.map((row) => this.row(row)) : [el('p', { textContent: answer.ok ? word('no_person') : answer.why })]));
  }

  row(row) {
    const held = (row.duties || []).slice(0, 2).map((one) => `${one.role_name || ''} ${one.name || ''}`.trim());
    const told = [row.title || '', row.names?.organisation_code || '', ...held, row.code].filter(Boolean).join('　');
    return el('button', { type: 'button', on: { click: () => { this.person = row.code; this.search.value = row.name; this.found.hidden = true; this.desk.bad(''); this.endsAgain(); } } }, row.name, el('small', { textContent: told }));
  }

  endsAgain() { this.ends(this.cancelButton(), this.saveButton()); }

  show() {
    const micro = this.codes.some((code) => this.desk.model.grids.get(code).kind === 'micro_grid');
    const roles = this.desk.config.roles.filter((role) => (micro ? role.code !== 'grid_leader' : role.code !== 'micro_leader'));
    if (!roles.some((role) => role.code === this.role)) this.role = roles[0].code;
    const fresh = this.codes.filter((code) => (this.desk.model.grids.get(code).cut_from || []).length);
    this.hint('hint_assign');
    this.form(
      this.chips(),
      el('div', { className: 'two' }, field(word('role'), select(roles.map((role) => [role.code, role.name]), this.role, (key) => { this.role = key; })), field(word('until'), this.until)),
      field(word('person'), this.search),
      this.found,
      fresh.length ? el('p', { className: 'quick' }, button(word('as_before'), async () => { if (await this.desk.step({ step: 'copy_duties', grids: fresh })) this.desk.drop(); }, { sign: 'history' })) : null,
    );
    this.endsAgain();
  }

  refresh() { this.desk.pick(this.codes); this.show(); }

  save() {
    if (!this.codes.length) { this.desk.bad(word('choose_grid')); return Promise.resolve(false); }
    if (!this.person) { this.desk.bad(word('choose_person')); return Promise.resolve(false); }
    const body = { step: 'assign', grids: this.codes, role: this.role, person: this.person };
    if (this.until.value) body.until = this.until.value;
    return this.desk.step(body);
  }
}
