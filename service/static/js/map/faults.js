// Where the edition does not tile: red outline and light hatch.
import { Latest } from './fetching.js';
import { boxOf, meets, trace } from './frame.js';
import { token } from './style.js';

export class Faults {
  constructor(board, state) {
    Object.assign(this, { board, state });
    this.asking = new Latest('faults');
    this.list = [];
    this.ready = [];
    board.step('world', 95, 'faults', (ctx, view) => this.draw(ctx, view));
  }

  async load() {
    if (!this.board.shows('faults')) return;
    const answer = await this.asking.ask(`/map/faults.geojson?on=${this.state.on}`);
    if (answer) this.take(answer.features);
  }

  /** Shows these: GeoJSON features with kind, codes, area_m2. */
  take(features) {
    this.list = features.filter((f) => f.geometry).map(({ geometry, properties }) => {
      const polygons = geometry.type === 'MultiPolygon' ? geometry.coordinates : geometry.type === 'Polygon' ? [geometry.coordinates] : [];
      const rings = polygons.flat().map((ring) => this.board.frame.line(ring));
      return { ...properties, path: rings.reduce((path, ring) => trace(path, ring, true), new Path2D()), box: boxOf(rings) };
    });
    for (const fn of this.ready) fn(this.list);
    this.board.request('all');
  }

  draw(ctx, view) {
    const red = token('--late-fill');
    for (const fault of this.list) {
      if (!meets(fault.box, view.box)) continue;
      ctx.save();
      ctx.clip(fault.path, 'evenodd');
      ctx.fillStyle = red; ctx.globalAlpha = 0.14; ctx.fill(fault.path, 'evenodd');
      ctx.strokeStyle = red; ctx.globalAlpha = 0.6; ctx.lineWidth = view.w(1); ctx.beginPath();
      const [x0, y0, x1, y1] = fault.box;
      const step = Math.max(view.w(6), (x1 - x0 + y1 - y0) / 400);
      for (let c = x0 - y1; c < x1 - y0; c += step) { ctx.moveTo(y0 + c, y0); ctx.lineTo(y1 + c, y1); }
      ctx.stroke();
      ctx.restore();
      ctx.strokeStyle = red; ctx.lineWidth = view.w(2); ctx.stroke(fault.path);
      const wide = (x1 - x0) * view.s; const high = (y1 - y0) * view.s;
      if (wide < 10 && high < 10) { // too small to see: a ring around it
        ctx.beginPath(); ctx.arc((x0 + x1) / 2, (y0 + y1) / 2, view.w(8), 0, 7); ctx.stroke();
      }
    }
  }
}
