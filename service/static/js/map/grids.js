// The grids of a day and their communities: colourings, borders, selection.
import { Latest } from './fetching.js';
import { boxOf, inside, meets, reversed, trace, turning } from './frame.js';
import { Edges, colourApart } from './outline.js';
import { classesOf } from './rates.js';
import { COMMUNITY, token } from './style.js';

const FILL = { com: 0.17, leader: 0.3, rate: 0.8 };
const RIBBON = 11;

export class Grids {
  constructor(board, state) {
    this.board = board;
    this.state = state;
    this.asking = new Latest('grids');
    this.list = [];
    this.micro = [];
    this.communities = [];
    this.editions = []; // {on, communities}: the days on which boundaries begin to hold, the first one first
    this.byCode = new Map();
    this.ready = [];
    this.answers = 0;
    board.step('world', 30, 'grids', (ctx, view) => this.fills(ctx, view));
    board.step('world', 80, 'always', (ctx, view) => this.veil(ctx, view));
    board.step('world', 90, 'grids', (ctx, view) => this.lines(ctx, view));
    board.step('over', 100, 'always', (ctx, view) => this.selection(ctx, view));
  }

  async load() {
    const answer = await this.asking.ask(`/map/grids.geojson?on=${this.state.on}`);
    if (!answer) return;
    this.parse(answer);
    this.answers += 1;
    for (const fn of this.ready) fn(this);
    this.board.request('all');
  }

  parse(answer) {
    const known = new Map((answer.communities || []).map((c) => [c.code, { ...c, colour: (c.colour || 0) % COMMUNITY.length, members: [] }]));
    this.communities = [...known.values()];
    this.editions = answer.editions || [];
    this.list = [];
    this.micro = [];
    for (const feature of answer.features) {
      const grid = this.shape(feature);
      if (grid.kind === 'micro_grid') this.micro.push(grid); else this.list.push(grid);
    }
    this.byCode = new Map(this.list.map((grid) => [grid.code, grid]));
    const edges = new Edges();
    for (const grid of this.list) {
      for (const ring of grid.rings) edges.add(ring, grid.code);
      known.get(grid.community)?.members.push(grid);
    }
    this.measure(edges);
    this.colourLeaders(edges.neighbours());
    this.rate = classesOf(this.list);
    const union = (grids) => grids.reduce((path, grid) => { path.addPath(grid.path); return path; }, new Path2D());
    this.paths = {
      all: union(this.list),
      micro: union(this.micro),
      leaders: COMMUNITY.map((_, i) => union(this.list.filter((grid) => grid.leaderColour === i))),
      rates: [0, 1, 2, 3, 4, 5].map((k) => union(this.list.filter((grid) => this.rate.classOf(grid) === k))),
      vacant: union(this.list.filter((grid) => grid.vacant)),
    };
  }

  /** A feature as flat rings: exteriors counter-clockwise, holes clockwise, so that 'nonzero' fills their union. */
  shape({ geometry, properties }) {
    const { frame } = this.board;
    const polygons = geometry.type === 'MultiPolygon' ? geometry.coordinates : [geometry.coordinates];
    const rings = [];
    for (const polygon of polygons) {
      polygon.forEach((coordinates, i) => {
        const flat = frame.line(coordinates.slice(0, -1));
        rings.push((turning(flat) > 0) === (i === 0) ? flat : reversed(flat));
      });
    }
    const path = rings.reduce((p, ring) => trace(p, ring, true), new Path2D());
    const [lon, lat] = properties.label;
    return { ...properties, short: properties.short || properties.code, rings, path, box: boxOf(rings), at: [frame.x(lon), frame.y(lat)] };
  }

  /** Borders of communities and of the office's area, and where their names belong. */
  measure(edges) {
    const { frame } = this.board;
    const { groups, outer } = edges.borders((code) => this.byCode.get(code).community);
    const lines = (list) => list.reduce((path, { line, closed }) => trace(path, line, closed), new Path2D());
    this.outer = lines(outer);
    for (const community of this.communities) {
      community.border = lines(groups.get(community.code) || []);
      community.path = community.members.reduce((path, grid) => { path.addPath(grid.path); return path; }, new Path2D());
      if (community.members.length) {
        const weight = (grid) => grid.ha || 1;
        const total = community.members.reduce((sum, grid) => sum + weight(grid), 0);
        community.at = [0, 1].map((k) => community.members.reduce((sum, grid) => sum + grid.at[k] * weight(grid), 0) / total);
        community.box = boxOf(community.members.flatMap((grid) => grid.rings));
      } else if (community.geometry) {
        const polygons = community.geometry.type === 'MultiPolygon' ? community.geometry.coordinates : [community.geometry.coordinates];
        const rings = polygons.flat().map((ring) => frame.line(ring));
        community.path = rings.reduce((path, ring) => trace(path, ring, true), new Path2D());
        community.border = community.path;
        community.rings = rings;
        community.box = boxOf(rings);
        community.at = [(community.box[0] + community.box[2]) / 2, (community.box[1] + community.box[3]) / 2];
      }
    }
    this.communities = this.communities.filter((community) => community.at);
  }

  /** One colour per leader, neighbours apart. */
  colourLeaders(neighbours) {
    const held = this.list.filter((grid) => grid.leader);
    const linked = new Map();
    for (const grid of held) {
      for (const code of neighbours.get(grid.code) || []) {
        const other = this.byCode.get(code).leader;
        if (!other || other === grid.leader) continue;
        if (!linked.has(grid.leader)) linked.set(grid.leader, new Set());
        linked.get(grid.leader).add(other);
      }
    }
    const colours = colourApart(new Set(held.map((grid) => grid.leader)), linked, COMMUNITY.length);
    for (const grid of this.list) grid.leaderColour = grid.leader ? colours.get(grid.leader) : -1;
  }

  /** The grid at local metres; in an overlap the lowest code. */
  gridAt(x, y) {
    let best = null;
    for (const grid of this.list) {
      const b = grid.box;
      if (x >= b[0] && x <= b[2] && y >= b[1] && y <= b[3] && inside(grid.rings, x, y) && (!best || grid.code < best.code)) best = grid;
    }
    return best;
  }

  /** Whether a community covers a point, asked many times for its name. */
  inCommunity(community, x, y) {
    if (!community.members.length) return inside(community.rings, x, y);
    return community.members.some((grid) => x >= grid.box[0] && x <= grid.box[2] && y >= grid.box[1] && y <= grid.box[3] && inside(grid.rings, x, y));
  }

  get chosen() { return this.state.grid ? this.byCode.get(this.state.grid) || null : null; }

  fills(ctx) {
    const { board, paths } = this;
    if (!this.paths || board.density) return;
    ctx.globalAlpha = FILL[board.paint] || 1;
    const fill = (path, colour) => { ctx.fillStyle = colour; ctx.fill(path); };
    if (board.paint === 'com') for (const community of this.communities) fill(community.path, COMMUNITY[community.colour].light);
    if (board.paint === 'leader') paths.leaders.forEach((path, i) => fill(path, COMMUNITY[i].light));
    if (board.paint === 'rate') paths.rates.forEach((path, k) => fill(path, token(`--seq-${k}`)));
  }

  /** What lies outside the office's area steps back. */
  veil(ctx, view) {
    if (!this.list.length && !this.communities.length) return;
    const { width, height } = ctx.canvas;
    const sheet = this.sheet ||= document.createElement('canvas');
    if (sheet.width !== width || sheet.height !== height) { sheet.width = width; sheet.height = height; }
    const c = sheet.getContext('2d');
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.globalCompositeOperation = 'source-over';
    c.clearRect(0, 0, width, height);
    c.fillStyle = token('--map-veil');
    c.fillRect(0, 0, width, height);
    c.globalCompositeOperation = 'destination-out';
    view.world(c);
    if (this.paths) c.fill(this.paths.all);
    for (const community of this.communities) if (!community.members.length) c.fill(community.path);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalAlpha = this.board.base ? 0.4 : 0.58;
    ctx.drawImage(sheet, 0, 0);
    view.world(ctx);
  }

  lines(ctx, view) {
    if (!this.paths) return;
    const { board, paths } = this;
    const stroke = (path, colour, px) => { ctx.strokeStyle = colour; ctx.lineWidth = view.w(px); ctx.stroke(path); };
    if (view.s > 0.5) { ctx.setLineDash([view.w(4), view.w(3)]); stroke(paths.micro, token('--grid-line'), 0.8); ctx.setLineDash([]); }
    if (board.paint === 'duty' || board.paint === 'leader') this.hatch(ctx, view, paths.vacant);
    stroke(paths.all, token('--grid-line'), board.density ? 0.7 : 1);
    if (board.paint === 'com' && !board.density) this.ribbons(ctx, view);
    for (const community of this.communities) stroke(community.border, token('--com-line'), 1.7);
    stroke(this.outer, token('--area-line'), 2.2);
  }

  ribbons(ctx, view) {
    for (const community of this.communities) {
      if (!meets(community.box, view.box)) continue;
      ctx.save();
      ctx.clip(community.path);
      ctx.globalAlpha = 0.42;
      ctx.strokeStyle = COMMUNITY[community.colour].light;
      ctx.lineWidth = view.w(RIBBON);
      ctx.stroke(community.border);
      ctx.restore();
    }
  }

  /** Nobody answers here: hatched, never only grey. */
  hatch(ctx, view, path) {
    ctx.save();
    ctx.clip(path);
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

  /** The chosen grid outlined, the rest dimmed a little. */
  selection(ctx, view) {
    const grid = this.chosen;
    if (!grid) return;
    view.world(ctx);
    const mask = new Path2D();
    const [x0, y0, x1, y1] = view.box;
    mask.rect(x0, y0, x1 - x0, y1 - y0);
    mask.addPath(grid.path);
    ctx.globalAlpha = 0.24;
    ctx.fillStyle = token('--map-dim');
    ctx.fill(mask, 'evenodd');
    ctx.globalAlpha = 1;
    ctx.strokeStyle = '#fff'; ctx.lineWidth = view.w(6.5); ctx.stroke(grid.path);
    ctx.strokeStyle = token('--accent'); ctx.lineWidth = view.w(2.8); ctx.stroke(grid.path);
  }
}
