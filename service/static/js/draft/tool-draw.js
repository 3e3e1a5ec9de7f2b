// Draws a special grid, a grid or a micro-grid out of what lies there.
import { choice, el, field } from './dom.js';
import { Tool } from './tool.js';
import { word } from './words.js';

export class Draw extends Tool {
  begin() {
    this.kind = 'special';
    this.nameField = el('input', { type: 'text', maxLength: 100, required: true });
    this.codeField = el('input', { type: 'text', maxLength: 40, placeholder: word('auto') });
    this.replace = el('input', { type: 'checkbox' });
    this.draw();
  }

  draw() {
    this.ready = false;
    this.desk.pencil.draw('Polygon', (layer) => {
      this.ready = true;
      const middle = layer.getBounds().getCenter();
      this.desk.nextCode(null, [middle.lng, middle.lat]).then((next) => { this.next = next; this.hints(); });
      this.show();
      this.nameField.focus({ preventScroll: true });
    });
    this.show();
  }

  show() {
    const kinds = choice(word('kind'), 'kind', ['special', 'grid', 'micro_grid'].map((key) => [key, word(key)]), this.kind, (key) => { this.kind = key; this.hints(); this.show(); });
    if (!this.ready) { this.hint('hint_draw'); this.form(kinds); this.drawingEnds(); return; }
    this.hint('hint_draw_done');
    this.form(
      kinds,
      el('div', { className: 'two' }, field(word('name'), this.nameField), field(word('code'), this.codeField)),
      this.kind === 'micro_grid' ? null : el('label', { className: 'tickline' }, this.replace, word('replace')),
    );
    this.ends(this.cancelButton(word('again'), () => this.draw()), this.saveButton());
  }

  hints() { this.codeField.placeholder = (this.kind === 'micro_grid' ? this.next?.micro : this.next?.code) || word('auto'); }

  save() {
    const body = { step: 'draw', kind: this.kind, polygon: this.desk.pencil.geometry, name: this.nameField.value.trim() };
    if (this.codeField.value.trim()) body.code = this.codeField.value.trim();
    if (this.replace.checked && this.kind !== 'micro_grid') body.replace = true;
    return this.desk.step(body);
  }
}
