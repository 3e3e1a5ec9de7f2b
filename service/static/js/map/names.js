// Names, first come first placed, none over another: chosen grid, communities, waters, grids, streets, shops, places.
import { inside, meets } from './frame.js';
import { along } from './lettering.js';
import { COMMUNITY, FONT, token } from './style.js';

const SHOPS_FROM = 1.1;
const PLACES_FROM = 0.9;
const STEPS = offsets();

/** Places to try around a community's middle, nearest first. */
function offsets() {
  const out = [];
  for (let dy = -171; dy <= 171; dy += 9) for (let dx = -192; dx <= 192; dx += 12) out.push([dx, dy]);
  return out.sort((p, q) => Math.hypot(p[0], p[1] * 1.4) - Math.hypot(q[0], q[1] * 1.4));
}

export class Names {
  /** @param parts {ground, grids, frontages, places, chiefs}; absent ones are not named */
  constructor(board, state, parts) {
    Object.assign(this, { board, state, ...parts });
    board.step('over', 140, 'always', (ctx, view) => this.draw(ctx, view));
  }

  draw(ctx, view) {
    this.ctx = ctx;
    this.view = view;
    const grids = this.board.shows('grids') && this.grids.paths;
    const chosen = this.grids.chosen;
    if (grids && chosen) this.chosenName(chosen);
    if (grids) this.communities();
    if (this.chiefs) this.chiefs.reachNames(this);
    if (this.ground && this.board.shows('ground') && !this.board.base) this.waters();
    if (grids) this.codes(chosen);
    if (this.chiefs) this.chiefs.streetNames(this);
    if (this.ground && this.board.shows('ground') && !this.board.base && !this.board.shows('ch-street')) this.streets();
    if (this.chiefs) this.chiefs.houseNames(this);
    if (this.frontages && this.board.shows('frontages') && view.s > SHOPS_FROM) this.shops();
    if (this.places && this.board.shows('places') && !this.board.shows('ch-place') && view.s > PLACES_FROM) this.facilities();
  }

  /** Whether a box is on the canvas and not cut by the edge of the visible part. */
  within(box) {
    const { port, width, height } = this.view;
    if (box[0] < 2 || box[1] < 2 || box[2] > width - 2 || box[3] > height - 2) return false;
    const out = box[2] < port[0] || box[0] > port[2] || box[3] < port[1] || box[1] > port[3];
    return out || (box[0] > port[0] + 2 && box[1] > port[1] + 2 && box[2] < port[2] - 2 && box[3] < port[3] - 2);
  }

  /** Writes a name at the first spot (canvas pixels) that is free and fits. */
  place(text, spots, font, px, colour, halo, pad = 3) {
    const { ctx } = this;
    ctx.font = font;
    const half = ctx.measureText(text).width / 2;
    for (const [x, y] of spots) {
      const box = [x - half - pad, y - px * 0.62 - pad + 1, x + half + pad, y + px * 0.5 + pad - 1];
      if (!this.within(box) || !this.board.free(box)) continue;
      this.board.take(box);
      this.text(text, x, y + px * 0.36, font, colour, halo);
      return true;
    }
    return false;
  }

  text(text, x, y, font, colour, halo = 3.4) {
    const { ctx } = this;
    ctx.font = font; ctx.textAlign = 'center'; ctx.textBaseline = 'alphabetic'; ctx.lineJoin = 'round';
    ctx.strokeStyle = token('--halo'); ctx.lineWidth = halo; ctx.strokeText(text, x, y);
    ctx.fillStyle = colour; ctx.fillText(text, x, y);
  }

  inGrid(grid) { return ([X, Y]) => inside(grid.rings, ...this.view.local(X, Y)); }

  /** Where a name may start from: the thing's own middle, or the nearest part of the view. */
  towardsView([x, y]) {
    const { port } = this.view;
    const [X, Y] = this.view.px(x, y);
    return [Math.max(port[0] + 60, Math.min(port[2] - 60, X)), Math.max(port[1] + 30, Math.min(port[3] - 30, Y))];
  }

  chosenName(grid) {
    const [x, y] = this.towardsView(grid.at);
    const spots = [];
    for (const dy of [0, -14, 14, -24, 24, -34, 34, -46, 46, -70, 70]) for (const dx of [0, -18, 18, -34, 34, -50, 50, -80, 80]) spots.push([x + dx, y + dy]);
    const text = this.board.paint === 'leader' && grid.leader ? grid.leader : grid.short;
    this.place(text, spots.filter(this.inGrid(grid)), `700 14px ${FONT}`, 14, token('--accent'), 4);
  }

  communities() {
    const { ctx, view } = this;
    const font = `700 16px ${FONT}`;
    for (const community of this.grids.communities) {
      if (!meets(community.box, view.box)) continue;
      if (Math.max(community.box[2] - community.box[0], community.box[3] - community.box[1]) * view.s < 56) continue;
      const [x0, y0] = this.towardsView(community.at);
      ctx.font = font;
      const third = ctx.measureText(community.name).width / 2;
      const fits = ([x, y]) => [-third, 0, third].every((q) => this.grids.inCommunity(community, ...view.local(x + q, y)));
      const spots = function* candidates() {
        for (const [dx, dy] of STEPS) { const spot = [x0 + dx, y0 + dy]; if (fits(spot)) yield spot; }
      };
      this.place(community.name, spots(), font, 16, COMMUNITY[community.colour].dark, 4.4, 4);
    }
  }

  waters() {
    for (const river of this.ground.rivers) {
      if (river.name) along(this, river.line, river.name, { font: `500 14px ${FONT}`, colour: token('--water-ink'), lo: 0.15, hi: 0.85, lift: 12, wide: true });
    }
  }

  codes(chosen) {
    const { view } = this;
    const leaders = this.board.paint === 'leader';
    for (const grid of this.grids.list) {
      const room = (grid.r || 0) * view.s;
      if (grid === chosen || room < 9.5 || !meets(grid.box, view.box)) continue;
      const [x, y] = view.px(...grid.at);
      const q = Math.max(8, Math.min(room - 8, 26));
      const spots = [[x, y], [x, y - q], [x, y + q], [x - q, y], [x + q, y], [x - q, y - q], [x + q, y - q], [x - q, y + q], [x + q, y + q], [x, y - q * 1.6], [x, y + q * 1.6]];
      const text = leaders && room > 16 ? grid.leader || grid.short : grid.short;
      this.place(text, spots.filter(this.inGrid(grid)), `500 ${view.s > 0.7 ? 12 : 11}px ${FONT}`, 11, token('--code-ink'), 3, 1);
    }
  }

  streets() {
    const { view } = this;
    if (view.s <= 0.12) return;
    const deepest = view.s > 0.5 ? 2 : view.s > 0.36 ? 1 : 0;
    const seen = new Set();
    const wanted = this.ground.streets.filter((s) => s.name && s.level <= deepest && meets(s.box, view.box)).sort((a, b) => a.level - b.level);
    for (const street of wanted.slice(0, 400)) {
      if (seen.has(street.name)) continue;
      if (along(this, street.line, street.name, { font: `400 ${street.level === 0 ? 11.5 : 11}px ${FONT}`, colour: token('--street-ink'), lo: 0.06, hi: 0.94 })) seen.add(street.name);
    }
  }

  /** Shop names, only this near: beside the shop's front, on the building's side. */
  shops() {
    const { view } = this;
    for (const shop of this.frontages.list) {
      const { line } = shop;
      if (!shop.name || line.length < 2) continue;
      const n = line.length;
      const [x, y] = view.px((line[0] + line[n - 2]) / 2, (line[1] + line[n - 1]) / 2);
      if (x < -40 || y < -20 || x > view.width + 40 || y > view.height + 20) continue;
      const dx = line[n - 2] - line[0]; const dy = line[n - 1] - line[1];
      const long = Math.hypot(dx, dy) || 1;
      const side = this.sideOf(shop, dx / long, dy / long);
      const nx = (-dy / long) * side; const ny = (dx / long) * side;
      const off = 6 + Math.abs(nx) * shop.name.length * 5.6 + Math.abs(ny) * 7;
      this.place(shop.name, [[x + nx * off, y - ny * off]], `400 11px ${FONT}`, 11, token('--ink-2'), 2.6, 1);
    }
  }

  /** On which side of its line a shop's building stands: 1 left, -1 right. (ux, uy): the line's direction. */
  sideOf(shop, ux, uy) {
    const known = this.ground?.version || 0;
    if (shop.sideOf === known && shop.side) return shop.side;
    shop.sideOf = known;
    shop.side = 1;
    const { line } = shop;
    const n = line.length;
    const x = (line[0] + line[n - 2]) / 2; const y = (line[1] + line[n - 1]) / 2;
    for (const reach of [2, 5]) {
      const left = this.ground?.built(x - uy * reach, y + ux * reach);
      const right = this.ground?.built(x + uy * reach, y - ux * reach);
      if (left !== right) { shop.side = left ? 1 : -1; break; }
    }
    return shop.side;
  }

  facilities() {
    for (const place of this.places.list) {
      if (!place.drawn || !place.name) continue;
      const [x, y] = this.view.px(place.x, place.y);
      this.place(place.name, [[x, y + 18], [x, y - 18]], `500 11px ${FONT}`, 11, token('--ink-2'), 2.6, 1);
    }
  }
}
