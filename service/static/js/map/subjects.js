// What a duty can be for: hatched where nobody has the role, outlined when chosen; found again by a click or in a box.
import { Latest } from './fetching.js';
import { boxOf, inside, meets, trace } from './frame.js';
import { FONT, token } from './style.js';

const NEAR_PX = 12;
const NAMES_FROM = 26; // px that a subject must measure before it is named

export class Subjects {
  constructor(board, url) {
    Object.assign(this, { board, url });
    this.asking = new Latest('subjects');
    this.list = [];
    this.byCode = new Map();
    this.chosen = new Set();
    this.pointed = null;
    this.ready = [];
    board.step('world', 85, 'always', (ctx, view) => this.draw(ctx, view));
    board.step('over', 100, 'always', (ctx, view) => this.outlines(ctx, view));
    board.step('over', 140, 'always', (ctx, view) => this.names(ctx, view));
  }

  async load() {
    const answer = await this.asking.ask(this.url);
    if (!answer) return;
    this.list = answer.subjects.map((one) => this.shape(one));
    this.byCode = new Map(this.list.map((one) => [one.code, one]));
    this.leftOut = answer.left_out;
    this.answers = (this.answers || 0) + 1;
    for (const fn of this.ready) fn(this);
    this.board.request('all');
  }

  shape(one) {
    const { frame } = this.board;
    const rings = (one.rings || []).map((flat) => frame.flat(flat));
    const lines = (one.lines || []).map((flat) => frame.flat(flat));
    const points = (one.points || []).map((flat) => frame.flat(flat));
    const area = rings.reduce((path, ring) => trace(path, ring, true), new Path2D());
    const line = lines.reduce((path, flat) => trace(path, flat), new Path2D());
    return { ...one, rings, lines, points, area, line, box: boxOf([...rings, ...lines, ...points]), x: frame.x(one.at[0]), y: frame.y(one.at[1]) };
  }

  draw(ctx, view) {
    const seen = this.list.filter((one) => meets(one.box, view.box));
    const vacant = seen.filter((one) => !one.holder && one.rings.length);
    const union = (some) => some.reduce((path, one) => { path.addPath(one.area); return path; }, new Path2D());
    this.hatch(ctx, view, union(vacant));
    const others = seen.filter((one) => !one.mine && one.rings.length);
    ctx.fillStyle = token('--map-veil'); ctx.globalAlpha = 0.65; ctx.fill(union(others), 'evenodd'); ctx.globalAlpha = 1;
    ctx.strokeStyle = token('--grid-line'); ctx.lineWidth = view.w(1); ctx.stroke(union(seen));
    for (const one of seen) if (one.lines.length) this.road(ctx, view, one);
  }

  /** Along a street: held green, nobody dashed. */
  road(ctx, view, one) {
    ctx.strokeStyle = '#fff'; ctx.lineWidth = view.w(7); ctx.stroke(one.line);
    ctx.strokeStyle = one.holder ? token('--done-fill') : token('--ink-2');
    ctx.lineWidth = view.w(4);
    if (!one.holder) ctx.setLineDash([view.w(6), view.w(4)]);
    ctx.stroke(one.line);
    ctx.setLineDash([]);
  }

  hatch(ctx, view, path) {
    ctx.save();
    ctx.clip(path, 'evenodd');
    ctx.fillStyle = '#fff';
    const [x0, y0, x1, y1] = view.box;
    ctx.fillRect(x0, y0, x1 - x0, y1 - y0);
    ctx.strokeStyle = token('--ink-2');
    ctx.lineWidth = view.w(1.4);
    ctx.beginPath();
    const step = view.w(7 * Math.SQRT2);
    for (let c = Math.floor((x0 - y1) / step) * step; c < x1 - y0; c += step) { ctx.moveTo(y0 + c, y0); ctx.lineTo(y1 + c, y1); }
    ctx.stroke();
    ctx.restore();
  }

  outlines(ctx, view) {
    view.world(ctx);
    for (const one of this.list) {
      const chosen = this.chosen.has(one.code);
      if (!(chosen || one === this.pointed) || !meets(one.box, view.box)) continue;
      ctx.fillStyle = token('--accent'); ctx.globalAlpha = chosen ? 0.18 : 0.08; ctx.fill(one.area, 'evenodd'); ctx.globalAlpha = 1;
      for (const path of [one.area, one.line]) {
        ctx.strokeStyle = '#fff'; ctx.lineWidth = view.w(path === one.line ? 9 : 5.5); ctx.stroke(path);
        ctx.strokeStyle = token('--accent'); ctx.lineWidth = view.w(path === one.line ? 5 : 2.8); ctx.stroke(path);
      }
    }
    view.screen(ctx);
    for (const one of this.list) for (const flat of one.points) this.spot(ctx, view, one, flat);
  }

  spot(ctx, view, one, flat) {
    const [x, y] = view.px(flat[0], flat[1]);
    if (x < -20 || y < -20 || x > view.width + 20 || y > view.height + 20) return;
    const chosen = this.chosen.has(one.code);
    if (one === this.pointed) { ctx.beginPath(); ctx.arc(x, y, 14, 0, 7); ctx.lineWidth = 3; ctx.strokeStyle = token('--accent'); ctx.stroke(); }
    ctx.beginPath(); ctx.arc(x, y, chosen ? 9 : 7, 0, 7);
    ctx.fillStyle = chosen ? token('--accent') : '#fff'; ctx.fill();
    ctx.lineWidth = 2; ctx.strokeStyle = chosen ? '#fff' : one.holder ? token('--done-fill') : token('--ink-2'); ctx.stroke();
    if (!one.holder && !chosen) { ctx.beginPath(); ctx.moveTo(x - 4, y + 4); ctx.lineTo(x + 4, y - 4); ctx.lineWidth = 1.6; ctx.stroke(); }
  }

  names(ctx, view) {
    for (const one of [...this.list].sort((p, q) => this.chosen.has(q.code) - this.chosen.has(p.code))) {
      const [x, y] = view.px(one.x, one.y);
      if (x < 0 || y < 0 || x > view.width || y > view.height) continue;
      const size = Math.max(one.box[2] - one.box[0], one.box[3] - one.box[1]) * view.s;
      if (size < NAMES_FROM && !(one.points.length && view.s > 0.6)) continue;
      ctx.font = `600 12px ${FONT}`;
      const half = ctx.measureText(one.short).width / 2;
      const top = one.points.length ? y - 16 : y;
      const box = [x - half - 3, top - 9, x + half + 3, top + 9];
      if (!this.board.free(box)) continue;
      this.board.take(box);
      ctx.textAlign = 'center'; ctx.textBaseline = 'alphabetic';
      ctx.lineJoin = 'round'; ctx.lineWidth = 3.5; ctx.strokeStyle = token('--halo'); ctx.strokeText(one.short, x, top + 4);
      ctx.fillStyle = this.chosen.has(one.code) ? token('--accent-down') : token('--code-ink'); ctx.fillText(one.short, x, top + 4);
    }
  }

  /** The subject at local metres: the smallest area that holds it, else the nearest line or point within a finger. */
  hit(x, y, view) {
    const far = view.w(NEAR_PX);
    let best = null;
    for (const one of this.list) {
      const b = one.box;
      if (x < b[0] - far || x > b[2] + far || y < b[1] - far || y > b[3] + far) continue;
      let score = Infinity;
      if (one.rings.length && inside(one.rings, x, y)) score = 1 + (b[2] - b[0]) * (b[3] - b[1]);
      for (const flat of [...one.lines, ...one.points]) { const d = away(flat, x, y); if (d <= far) score = Math.min(score, d / far); }
      if (score < Infinity && (!best || score < best.score)) best = { one, score };
    }
    return best?.one || null;
  }

  /** Those whose middle lies in a box of local metres. */
  within([x0, y0, x1, y1]) {
    return this.list.filter((one) => one.x >= x0 && one.x <= x1 && one.y >= y0 && one.y <= y1);
  }
}

/** Distance from a point to a flat line. */
function away(flat, x, y) {
  let best = Math.hypot(flat[0] - x, flat[1] - y);
  for (let i = 2; i < flat.length; i += 2) {
    const [ax, ay, bx, by] = [flat[i - 2], flat[i - 1], flat[i], flat[i + 1]];
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = length ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0;
    best = Math.min(best, Math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y));
  }
  return best;
}
