// Reshapes one polygon, or moves the border that two grids share.
import { button } from './dom.js';
import { boundsOf, distance, polygonsOf, sharedLines } from './shapes.js';
import { Tool } from './tool.js';
import { short, word } from './words.js';

export class Reshape extends Tool {
  clicked(code) {
    if (this.desk.pencil.layer) return;
    this.code = code;
    this.desk.choose(code);
    this.open();
  }

  open() {
    const { geometry } = this.desk.model.grids.get(this.code);
    const polygons = polygonsOf(geometry).map((polygon) => polygon.map((ring) => ring.slice(0, -1)));
    this.desk.near(boundsOf([geometry]));
    this.desk.pencil.edit('Polygon', polygons.length > 1 ? polygons : polygons[0]);
    this.ready = true;
    this.show();
  }

  show() {
    if (!this.ready) { this.hint('hint_reshape'); this.form(); this.ends(); return; }
    this.hint('hint_reshape_line', { name: this.nameOf(this.code) });
    this.form();
    this.ends(button(word('restore'), () => this.open(), { look: 'act' }), this.saveButton());
  }

  save() { return this.desk.step({ step: 'reshape', code: this.code, polygon: this.desk.pencil.geometry }); }
}

const NEAR = 14; // pixels

export class Border extends Tool {
  begin() { this.desk.choose(null); this.show(); }

  clicked(code, latlng) {
    const { desk } = this;
    if (desk.pencil.layer || !latlng) return;
    const found = this.nearest(latlng);
    if (!found) { desk.bad(word('no_border')); return; }
    desk.bad('');
    this.open(found);
  }

  /** The border nearest to a click: {codes, line}. */
  nearest(latlng) {
    const { map, model, grids, board } = this.desk;
    const at = map.latLngToContainerPoint(latlng);
    const [x, y] = [board.frame.x(latlng.lng), board.frame.y(latlng.lat)];
    const reach = NEAR / board.view.s;
    const around = model.tiles.filter((grid) => { const b = grids.find(grid.code)?.box; return b && x > b[0] - reach && x < b[2] + reach && y > b[1] - reach && y < b[3] + reach; });
    let best = null;
    around.forEach((a, i) => around.slice(i + 1).forEach((b) => {
      for (const line of sharedLines(a.geometry, b.geometry)) {
        const d = distance(line.map(([lon, lat]) => { const p = map.latLngToContainerPoint([lat, lon]); return [p.x, p.y]; }), at.x, at.y);
        if (d < NEAR && (!best || d < best.d)) best = { d, codes: [a.code, b.code], line };
      }
    }));
    return best;
  }

  open(found) {
    this.found = found;
    this.desk.choose(null);
    this.desk.pick(found.codes);
    this.desk.near(boundsOf([{ type: 'Polygon', coordinates: [found.line] }]));
    this.desk.pencil.edit('Line', found.line);
    this.ready = true;
    this.show();
  }

  /** The border anew, as one line from end to end. */
  anew() {
    this.ready = false;
    this.desk.pencil.draw('Line', () => { this.ready = true; this.show(); });
    this.show();
  }

  show() {
    if (!this.found) { this.hint('hint_border'); this.form(); this.ends(); return; }
    if (!this.ready) { this.hint('hint_border_anew'); this.form(); this.drawingEnds(); return; }
    const [a, b] = this.found.codes;
    this.hint('hint_border_line', { a: short(a), b: short(b) });
    this.form();
    this.ends(button(word('restore'), () => this.open(this.found), { look: 'act' }), button(word('anew'), () => this.anew(), { look: 'act' }), this.saveButton());
  }

  save() { return this.desk.step({ step: 'border', codes: this.found.codes, line: this.desk.pencil.geometry }); }
}
