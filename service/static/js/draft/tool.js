// What every tool has: a hint, a form, what a click on the map means, and one save.
import { byId, button, el } from './dom.js';
import { short, word } from './words.js';

export class Tool {
  /** @param desk what all tools share: map, model, grids, state, pencil, api, step(), pick() */
  constructor(desk) { this.desk = desk; this.multi = false; this.ready = false; }

  /** `code`: the grid that is chosen, or null. */
  begin(code) { if (code) this.clicked(code); else this.show(); }

  clicked() {}

  end() { this.desk.pencil.clear(); this.desk.pick([]); }

  /** The save; true when it is done and the tool may begin anew. */
  async save() { return false; }

  /** Whether Enter and the button may save. */
  get savable() { return this.ready; }

  /** After a save: the tool is put down, unless it has more to do. */
  after() { this.desk.drop(); }

  /** After somebody else's save: what was chosen may be gone. */
  refresh() { this.show(); }

  show() {}

  hint(key, given = {}) { byId('task-hint').textContent = word(key, given); }

  form(...parts) { byId('task-body').replaceChildren(...parts.filter(Boolean)); }

  ends(...parts) { byId('task-ends').replaceChildren(...parts.filter(Boolean)); }

  saveButton(text = word('save')) { return button(text, () => this.desk.save(), { look: 'act main', disabled: !this.savable }); }

  cancelButton(text = word('cancel'), act = () => this.desk.drop()) { return button(text, act, { look: 'act' }); }

  /** While a line or polygon is being drawn: end it, or go a point back. */
  drawingEnds() {
    const { pencil } = this.desk;
    this.ends(button(word('back_one'), () => pencil.backOne(), { sign: 'undo', look: 'act' }), button(word('finish'), () => this.finish(), { look: 'act main' }));
  }

  finish() {
    const { pencil } = this.desk;
    const least = pencil.busy === 'Polygon' ? 3 : 2;
    if (pencil.points < least) this.desk.bad(word(least === 3 ? 'ring_short' : 'line_short'));
    else pencil.finish();
  }

  nameOf(code) { const grid = this.desk.model.grids.get(code); return grid ? `${short(code)} ${grid.name}` : code; }

  /** The picked grids as chips that can be taken away. */
  chips() {
    const { desk } = this;
    const codes = [...desk.grids.picked];
    return el('div', { className: 'picked' }, ...codes.map((code) => button(el('span', { textContent: this.nameOf(code) }), () => this.clicked(code), { look: '', className: '', sign: 'close' })));
  }
}
