// Splits a grid by a line across it.
import { choice, el, field } from './dom.js';
import { Tool } from './tool.js';
import { word } from './words.js';

export class Split extends Tool {
  clicked(code) {
    const { desk } = this;
    if (desk.pencil.drawing || desk.pencil.layer) return;
    this.code = code;
    this.keep = 'larger';
    desk.choose(code);
    desk.nextCode(code).then((next) => { this.next = next; if (this.nameField) this.hints(); });
    this.draw();
  }

  draw() {
    this.ready = false;
    this.desk.pencil.draw('Line', () => { this.ready = true; this.show(); });
    this.show();
  }

  show() {
    if (!this.code || !this.desk.model.grids.has(this.code)) { this.code = null; this.hint('hint_split'); this.form(); this.ends(); return; }
    if (!this.ready) { this.hint('hint_split_line', { name: this.nameOf(this.code) }); this.form(); this.drawingEnds(); return; }
    if (!this.nameField) {
      this.nameField = el('input', { type: 'text', maxLength: 100, placeholder: word('auto') });
      this.codeField = el('input', { type: 'text', maxLength: 40, placeholder: word('auto') });
      if (this.next) this.hints();
    }
    this.hint('hint_split_done');
    this.form(
      el('div', { className: 'two' }, field(word('new_name'), this.nameField), field(word('new_code'), this.codeField)),
      choice(word('keep'), 'keep', ['larger', 'first', 'second'].map((key) => [key, word(`keep_${key}`)]), this.keep, (key) => { this.keep = key; }),
    );
    this.ends(this.cancelButton(word('again'), () => this.draw()), this.saveButton());
  }

  hints() {
    this.codeField.placeholder = this.next.code || word('auto');
    this.nameField.placeholder = this.next.name || word('auto');
  }

  save() {
    const { desk } = this;
    const body = { step: 'split', code: this.code, line: desk.pencil.geometry, keep: this.keep };
    if (this.nameField.value.trim()) body.new_name = this.nameField.value.trim();
    if (this.codeField.value.trim()) body.new_code = this.codeField.value.trim();
    return desk.step(body);
  }
}
