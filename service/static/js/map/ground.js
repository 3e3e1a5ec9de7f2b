// Land cover, water, buildings and streets: read by view, unless one answer holds all there is.
import { Covered, Latest, asText } from './fetching.js';
import { boxOf, trace } from './frame.js';
import { STREET, token } from './style.js';

const LAND = [['wood', '--map-wood'], ['dense_wood', '--map-dense'], ['bank', '--map-bank'], ['park', '--map-park']];

export class Ground {
  constructor(board, state) {
    Object.assign(this, { board, state });
    this.asking = new Latest('ground');
    this.covered = new Covered();
    this.streets = [];
    this.rivers = [];
    this.paths = null;
    const step = (order, fn) => board.step('world', order, 'ground', (ctx, view) => { if (this.paths && !board.base) fn(ctx, view); });
    step(20, (ctx) => this.land(ctx));
    step(40, (ctx, view) => this.water(ctx, view));
    step(50, (ctx, view) => this.houses(ctx, view));
    step(60, (ctx, view) => this.roads(ctx, view));
    board.map.on('moveend', () => this.load());
    this.load();
  }

  async load() {
    const { board } = this;
    if (board.base || !board.shows('ground')) return;
    const zoom = Math.round(board.map.getZoom());
    if (this.covered.holds(board.seen(0), zoom)) return;
    const answer = await this.asking.ask(`/map/ground?bbox=${asText(board.seen())}&z=${zoom}&on=${this.state.on}`);
    if (!answer) return;
    this.covered.keep(answer.bbox || board.seen(), { all: answer.complete, zoom });
    this.parse(answer);
    board.request('all');
  }

  reload() { this.covered.forget(); this.load(); }

  parse({ origin, unit, streets, buildings, areas, lines = {} }) {
    const { frame } = this.board;
    const flat = (values) => frame.flat(values, unit, origin);
    const rings = (shapes) => (shapes || []).reduce((path, shape) => shape.reduce((p, ring) => trace(p, flat(ring), true), path), new Path2D());
    this.streets = streets.map(([name, level, values]) => { const line = flat(values); return { name, level: Math.min(3, level || 0), line, box: boxOf([line]) }; });
    this.version = (this.version || 0) + 1;
    this.rivers = (lines.river || []).map((one) => (typeof one[0] === 'string' ? { name: one[0], line: flat(one[1]) } : { name: '', line: flat(one) }));
    const polygons = Object.fromEntries([...LAND.map(([kind]) => kind), 'river'].map((kind) => [kind, rings(areas[kind])]));
    const houses = new Path2D();
    for (const ring of buildings) trace(houses, flat(ring), true);
    const roads = STREET.map((_, level) => this.streets.filter((s) => s.level === level).reduce((p, s) => trace(p, s.line), new Path2D()));
    const brooks = this.rivers.filter((r) => !r.name).reduce((p, r) => trace(p, r.line), new Path2D());
    this.paths = { polygons, houses, roads, brooks };
  }

  /** Whether a building stands at local metres. */
  built(x, y) {
    const probe = this.probe ||= document.createElement('canvas').getContext('2d');
    return !!this.paths && probe.isPointInPath(this.paths.houses, x, y);
  }

  land(ctx) {
    for (const [kind, colour] of LAND) { ctx.fillStyle = token(colour); ctx.fill(this.paths.polygons[kind], 'evenodd'); }
  }

  water(ctx, view) {
    const { polygons, brooks } = this.paths;
    ctx.fillStyle = token('--map-water'); ctx.fill(polygons.river, 'evenodd');
    ctx.strokeStyle = token('--map-shore'); ctx.lineWidth = view.w(0.9); ctx.stroke(polygons.river);
    ctx.strokeStyle = token('--map-water'); ctx.lineWidth = view.w(Math.max(1.2, 6 * view.s)); ctx.stroke(brooks);
  }

  houses(ctx, view) {
    const covered = this.board.paint === 'rate' || this.board.paint === 'leader' || this.board.density;
    if (view.s <= (covered ? 0.45 : 0.24)) return;
    ctx.fillStyle = token('--map-building'); ctx.fill(this.paths.houses);
    if (view.s > 0.4) { ctx.strokeStyle = token('--map-building-edge'); ctx.lineWidth = view.w(0.6); ctx.stroke(this.paths.houses); }
  }

  roads(ctx, view) {
    const { roads } = this.paths;
    ctx.lineCap = 'round';
    for (const [colour, edge] of [['--map-casing', 1], ['--map-street', 0]]) {
      ctx.strokeStyle = token(colour);
      for (let level = 3; level >= 0; level -= 1) {
        const q = STREET[level];
        if (level === 3 && view.s <= 0.3) continue;
        ctx.lineWidth = view.w(Math.max(q.min * Math.min(1, 0.35 + view.s * 3), q.m * view.s) + edge * q.edge);
        ctx.stroke(roads[level]);
      }
    }
    ctx.lineCap = 'butt';
  }
}
