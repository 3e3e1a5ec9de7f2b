// Merges grids that touch into one.
import { field, select } from './dom.js';
import { Tool } from './tool.js';
import { word } from './words.js';

export class Merge extends Tool {
  constructor(desk) { super(desk); this.multi = true; }

  begin(code) {
    this.desk.choose(null);
    if (code) this.clicked(code); else this.show();
  }

  clicked(code) {
    const { grids } = this.desk;
    if (this.desk.model.grids.get(code)?.kind === 'micro_grid') return;
    this.desk.pick(grids.picked.has(code) ? [...grids.picked].filter((one) => one !== code) : [...grids.picked, code]);
    this.show();
  }

  get savable() { return this.desk.grids.picked.size > 1; }

  refresh() { this.desk.pick([...this.desk.grids.picked].filter((code) => this.desk.model.grids.has(code))); this.show(); }

  show() {
    const codes = [...this.desk.grids.picked];
    if (!codes.includes(this.keep)) [this.keep] = codes;
    this.hint('hint_merge');
    this.form(this.chips(), codes.length > 1 ? field(word('keep_code'), select(codes.map((code) => [code, this.nameOf(code)]), this.keep, (code) => { this.keep = code; })) : null);
    this.ends(this.cancelButton(), this.saveButton());
  }

  save() { return this.desk.step({ step: 'merge', codes: [...this.desk.grids.picked], keep: this.keep }); }
}
