// What the responsibility audit found, where it lies: grids without a leader hatched red, soon amber, two at once violet; the rest as marks.
import { Latest } from './fetching.js';
import { meets, trace } from './frame.js';
import { token } from './style.js';

const LOOK = {
  vacant: ['--late', null], overlap: ['--chk', '--chk-bg'], vacant_soon: ['--way', '--way-bg'], ending: ['--way', '--way-bg'],
  subject_gone: ['--late', null], person_gone: ['--late', null],
};
const OTHER = ['--late', null];

export class Audit {
  constructor(board, state) {
    Object.assign(this, { board, state });
    this.asking = new Latest('audit');
    this.grids = {};
    this.marks = [];
    this.ready = [];
    board.step('world', 92, 'audit', (ctx, view) => this.zones(ctx, view));
    board.step('over', 118, 'audit', (ctx, view) => this.spots(ctx, view));
  }

  async load() {
    if (!this.board.shows('audit')) return;
    const answer = await this.asking.ask(`/map/audit?on=${this.state.on}`);
    if (!answer) return;
    const { frame } = this.board;
    this.grids = answer.grids;
    this.marks = answer.marks.map(([kind, words, name, code, { point, lines }]) => {
      const flat = (lines || []).map((line) => frame.flat(line));
      const middle = flat[0] ? flat[0].length >> 2 << 1 : 0;
      const at = point ? frame.flat(point) : [flat[0][middle], flat[0][middle + 1]];
      return { kind, words, name, code, at: [at[0], at[1]], path: flat.reduce((path, line) => trace(path, line), new Path2D()), long: flat.length > 0 };
    });
    for (const fn of this.ready) fn(Object.keys(this.grids).length + this.marks.length);
    this.board.request('all');
  }

  /** The grids of the board, by code. */
  get zonesOf() { return window.steward.parts?.grids?.byCode || new Map(); }

  zones(ctx, view) {
    const known = this.zonesOf;
    for (const [code, kind] of Object.entries(this.grids)) {
      const grid = known.get(code);
      if (!grid || !meets(grid.box, view.box)) continue;
      const [edge, fill] = LOOK[kind] || OTHER;
      ctx.save();
      ctx.clip(grid.path);
      ctx.globalAlpha = 0.75;
      ctx.fillStyle = fill ? token(fill) : '#fff';
      ctx.fill(grid.path);
      ctx.globalAlpha = 1;
      ctx.strokeStyle = token(edge);
      if (!fill) this.hatch(ctx, view);
      ctx.lineWidth = view.w(6); ctx.stroke(grid.path);
      ctx.restore();
    }
    for (const mark of this.marks) {
      if (!mark.long) continue;
      ctx.strokeStyle = '#fff'; ctx.lineWidth = view.w(5); ctx.stroke(mark.path);
      ctx.strokeStyle = token((LOOK[mark.kind] || OTHER)[0]); ctx.lineWidth = view.w(2.6); ctx.setLineDash([view.w(5), view.w(4)]); ctx.stroke(mark.path); ctx.setLineDash([]);
    }
  }

  hatch(ctx, view) {
    const [x0, y0, x1, y1] = view.box;
    const step = view.w(9);
    ctx.lineWidth = view.w(1.3);
    ctx.beginPath();
    for (let c = Math.floor((x0 - y1) / step) * step; c < x1 - y0; c += step) { ctx.moveTo(y0 + c, y0); ctx.lineTo(y1 + c, y1); }
    ctx.stroke();
  }

  spots(ctx, view) {
    for (const mark of this.marks) {
      if (mark.long) continue;
      const [x, y] = view.px(...mark.at);
      if (x < -12 || y < -12 || x > view.width + 12 || y > view.height + 12) continue;
      ctx.beginPath(); ctx.moveTo(x, y - 7); ctx.lineTo(x + 7, y); ctx.lineTo(x, y + 7); ctx.lineTo(x - 7, y); ctx.closePath();
      ctx.fillStyle = '#fff'; ctx.fill();
      ctx.strokeStyle = token((LOOK[mark.kind] || OTHER)[0]); ctx.lineWidth = 2.2; ctx.stroke();
      this.board.take([x - 8, y - 8, x + 8, y + 8]);
    }
  }
}
