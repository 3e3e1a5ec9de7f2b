// Incidents as the server counts them: one request per rest of the map; far away clusters with a ring by state, near by single marks.
import { Latest, asText } from './fetching.js';
import { FONT, ORDER, STATE, token } from './style.js';
import { short } from './words.js';

const POINTS_FROM = 17;
const GROUP_PX = 26;

/** The mark of one state; the same shapes as in icons.svg: hollow, half, diamond, dot, tick. */
export function mark(ctx, state, x, y, r) {
  const colour = STATE[state];
  const diamond = (d) => { ctx.beginPath(); ctx.moveTo(0, -d); ctx.lineTo(d, 0); ctx.lineTo(0, d); ctx.lineTo(-d, 0); ctx.closePath(); ctx.fill(); };
  const disc = (radius) => { ctx.beginPath(); ctx.arc(0, 0, radius, 0, 7); ctx.fill(); };
  ctx.save();
  ctx.translate(x, y);
  ctx.fillStyle = '#fff';
  if (state === 'late') {
    diamond(r * 1.22 + 1.6);
    ctx.fillStyle = colour; diamond(r * 1.22);
    ctx.fillStyle = '#fff';
    ctx.fillRect(-0.9, -r * 0.6, 1.8, r * 0.72); ctx.fillRect(-0.9, r * 0.34, 1.8, 1.8);
  } else if (state === 'done') {
    disc(r + 1.6);
    ctx.fillStyle = colour; disc(r);
    ctx.beginPath(); ctx.moveTo(-r * 0.48, 0.03 * r); ctx.lineTo(-r * 0.12, r * 0.38); ctx.lineTo(r * 0.5, -r * 0.34);
    ctx.strokeStyle = '#fff'; ctx.lineWidth = 1.6; ctx.stroke();
  } else {
    disc(r + 1.6);
    ctx.beginPath(); ctx.arc(0, 0, r - 1, 0, 7); ctx.lineWidth = 2; ctx.strokeStyle = colour; ctx.stroke();
    ctx.fillStyle = colour;
    if (state === 'way') { ctx.beginPath(); ctx.arc(0, 0, r - 1, -Math.PI / 2, Math.PI / 2); ctx.fill(); }
    if (state === 'chk') disc(r * 0.42);
  }
  ctx.restore();
}

/** A ring divided by state, the count inside, a red diamond when any is overdue. */
export function donut(ctx, { x, y, r, n, c }) {
  const t = r > 15 ? 5 : 4.2;
  ctx.fillStyle = '#fff'; ctx.beginPath(); ctx.arc(x, y, r + 1.6, 0, 7); ctx.fill();
  const kinds = ORDER.filter((_, i) => c[i]);
  const gap = kinds.length > 1 ? 1.3 / (r - t / 2) : 0;
  let from = -Math.PI / 2;
  ORDER.forEach((kind, i) => {
    if (!c[i]) return;
    const to = from + (c[i] / n) * Math.PI * 2;
    ctx.beginPath(); ctx.arc(x, y, r - t / 2, from + gap / 2, Math.max(from + gap / 2 + 0.02, to - gap / 2));
    ctx.lineWidth = t; ctx.strokeStyle = STATE[kind]; ctx.stroke();
    from = to;
  });
  const word = short(n);
  ctx.fillStyle = token('--ink-1'); ctx.font = `600 ${word.length > 3 ? 10.5 : r > 15 ? 12 : 11}px ${FONT}`; ctx.textAlign = 'center'; ctx.textBaseline = 'alphabetic';
  ctx.fillText(word, x, y + (r > 15 ? 4.3 : 4));
  if (!c[0]) return;
  const X = x + r * 0.78; const Y = y - r * 0.78;
  for (const [d, colour] of [[6.4, '#fff'], [5, STATE.late]]) {
    ctx.fillStyle = colour; ctx.beginPath(); ctx.moveTo(X, Y - d); ctx.lineTo(X + d, Y); ctx.lineTo(X, Y + d); ctx.lineTo(X - d, Y); ctx.fill();
  }
}

/** Moves marks (canvas pixels, with radius r) apart until none overlaps; `still` ones stay. */
export function apart(all, rounds = 24) {
  for (let k = 0; k < rounds; k += 1) {
    let moved = false;
    for (let i = 0; i < all.length; i += 1) {
      for (let j = i + 1; j < all.length; j += 1) {
        const A = all[i]; const B = all[j];
        const want = A.r + B.r + 4;
        let dx = B.x - A.x; let dy = B.y - A.y;
        if (Math.abs(dx) >= want || Math.abs(dy) >= want) continue;
        if (!dx && !dy) { dx = 0.01 * (1 + i); dy = 0.01 * (1 + j); }
        const d = Math.hypot(dx, dy);
        if (d >= want || (A.still && B.still)) continue;
        const m = (want - d) / d / (A.still || B.still ? 1 : 2);
        if (!A.still) { A.x -= dx * m; A.y -= dy * m; }
        if (!B.still) { B.x += dx * m; B.y += dy * m; }
        moved = true;
      }
    }
    if (!moved) return;
  }
}

export class Incidents {
  constructor(board, state, grids) {
    Object.assign(this, { board, state, grids });
    this.asking = new Latest('clusters');
    this.counting = new Latest('clusters');
    this.cells = [];
    this.points = [];
    this.shown = [];
    this.counted = [];
    this.many = [];
    this.answers = 0;
    board.step('over', 120, 'incidents', (ctx, view) => this.draw(ctx, view));
    board.map.on('moveend', () => this.load());
  }

  async load() {
    const { board } = this;
    if (!board.shows('incidents')) return;
    const zoom = Math.max(0, Math.min(22, Math.round(board.map.getZoom())));
    const answer = await this.asking.ask(`/map/clusters?bbox=${asText(board.seen())}&z=${zoom}&cell=64${this.state.filterQuery()}`);
    if (!answer) return;
    const { frame } = board;
    this.answers += 1;
    this.near = zoom >= POINTS_FROM && !!answer.points;
    this.cells = (answer.cells || []).map(([lon, lat, ...c]) => ({ x: frame.x(lon), y: frame.y(lat), c, n: c.reduce((a, b) => a + b, 0) }));
    this.points = (answer.points || []).map(([lon, lat, s, number, category, address]) => ({ x: frame.x(lon), y: frame.y(lat), state: s, number, category, address, lon, lat }));
    if (answer.more) for (const fn of this.many) fn(this.points.length);
    board.request('over');
  }

  /** Counts by state of all that a map can show under the present filters; tells `counted`. */
  async count() {
    const answer = await this.counting.ask(`/map/clusters?bbox=-180,-90,180,90&z=4&cell=64${this.state.filterQuery()}`, { quiet: true });
    if (!answer) return;
    const sums = [0, 1, 2, 3, 4].map((i) => answer.cells.reduce((sum, cell) => sum + (cell[2 + i] || 0), 0));
    for (const fn of this.counted) fn(Object.fromEntries(ORDER.map((key, i) => [key, sums[i]])), answer.total);
  }

  /** Clusters and marks in canvas pixels, pushed apart. */
  arrange(view) {
    const chosen = this.grids.chosen;
    const large = chosen && (chosen.r || 0) * view.s > 42;
    const list = [];
    for (const cell of this.cells) {
      const [x, y] = view.px(cell.x, cell.y);
      const r = cell.n === 1 ? 6 : Math.min(cell.n >= 10000 ? 22 : 20, 9.5 + 2.1 * Math.sqrt(cell.n));
      list.push({ x, y, r, n: cell.n, c: cell.c, home: cell, keep: false });
    }
    const groups = new Map();
    for (const point of this.points) {
      const [x, y] = view.px(point.x, point.y);
      const mine = large && this.grids.gridAt(point.x, point.y) === chosen;
      const key = mine ? point : `${Math.floor((point.x * view.s) / GROUP_PX)}:${Math.floor((point.y * view.s) / GROUP_PX)}`;
      const group = groups.get(key) || { x: 0, y: 0, n: 0, c: [0, 0, 0, 0, 0], keep: mine, points: [] };
      group.x += x; group.y += y; group.n += 1; group.c[ORDER.indexOf(point.state)] += 1; group.points.push(point);
      groups.set(key, group);
    }
    for (const g of groups.values()) {
      const r = g.keep ? 7.5 : g.n === 1 ? 6.5 : Math.min(20, 9.5 + 2.1 * Math.sqrt(g.n));
      list.push({ ...g, x: g.x / g.n, y: g.y / g.n, r });
    }
    const at = this.state.point ? view.px(this.board.frame.x(this.state.point[0]), this.board.frame.y(this.state.point[1])) : null;
    apart(at ? [...list, { x: at[0], y: at[1], r: 9, still: true }] : list, list.length > 400 ? 6 : 24);
    return list.sort((a, b) => a.keep - b.keep || a.n - b.n);
  }

  draw(ctx, view) {
    const dim = !!this.grids.chosen;
    const cards = this.board.blocks(view);
    this.shown = this.arrange(view).filter((m) => m.x > -30 && m.y > -30 && m.x < view.width + 30 && m.y < view.height + 30
      && !cards.some((b) => m.x > b[0] && m.x < b[2] && m.y > b[1] && m.y < b[3]));
    for (const m of this.shown) {
      ctx.globalAlpha = dim && !m.keep ? 0.94 : 1;
      if (m.n === 1) mark(ctx, ORDER[m.c.findIndex((n) => n > 0)] || 'rep', m.x, m.y, m.r); else donut(ctx, m);
      this.board.take([m.x - m.r - 2, m.y - m.r - 2, m.x + m.r + 2, m.y + m.r + 2]);
    }
    ctx.globalAlpha = 1;
  }

  /** The mark under a canvas pixel, topmost first. */
  hit(x, y, slack = 2) {
    if (!this.board.shows('incidents')) return null;
    for (let i = this.shown.length - 1; i >= 0; i -= 1) {
      const m = this.shown[i];
      if (Math.hypot(m.x - x, m.y - y) <= m.r + slack) return m;
    }
    return null;
  }
}

/** For the public: how many are open in each grid, no more. */
export class Counts {
  constructor(board, grids) {
    Object.assign(this, { board, grids });
    board.step('over', 120, 'counts', (ctx, view) => this.draw(ctx, view));
  }

  draw(ctx, view) {
    for (const grid of this.grids.list) {
      if (!grid.open || (grid.r || 0) * view.s < 13) continue;
      const [x, y0] = view.px(...grid.at);
      const y = y0 + Math.min(13, grid.r * view.s * 0.5);
      if (x < -20 || y < -20 || x > view.width + 20 || y > view.height + 20) continue;
      const word = short(grid.open);
      const r = word.length > 2 ? 12 : 9.5;
      const box = [x - r - 1, y - r - 1, x + r + 1, y + r + 1];
      if (!this.board.free(box)) continue;
      ctx.fillStyle = '#fff'; ctx.beginPath(); ctx.arc(x, y, r, 0, 7); ctx.fill();
      ctx.strokeStyle = token('--ink-2'); ctx.lineWidth = 1.5; ctx.stroke();
      ctx.fillStyle = token('--ink-1'); ctx.font = `600 11px ${FONT}`; ctx.textAlign = 'center'; ctx.textBaseline = 'alphabetic';
      ctx.fillText(word, x, y + 4);
      this.board.take(box);
    }
  }
}
