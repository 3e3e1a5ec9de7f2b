// Who answers for streets, houses, waters and woods, facilities: held ones drawn plainly, others dashed or hatched, never only grey.
import { Covered, Latest, asText } from './fetching.js';
import { boxOf, meets, trace } from './frame.js';
import { along } from './lettering.js';
import { FONT, STREET, token } from './style.js';
import { say } from './words.js';

const LAYERS = ['street', 'building', 'reach', 'place'];
const NAMES_FROM = { street: 0.16, building: 1.1, reach: 0.05, place: 0.9 };
const HOUSES_FROM = 0.2;
const ICONED = ['market', 'refuse_station', 'transfer_station', 'school', 'hospital', 'toilet'];

export class Chiefs {
  constructor(board, state) {
    Object.assign(this, { board, state });
    this.of = Object.fromEntries(LAYERS.map((layer) => [layer, { list: [], asking: new Latest('chiefs'), covered: new Covered() }]));
    board.step('world', 45, 'ch-reach', (ctx, view) => this.reaches(ctx, view));
    board.step('world', 56, 'ch-building', (ctx, view) => this.houses(ctx, view));
    board.step('world', 66, 'ch-street', (ctx, view) => this.streets(ctx, view));
    board.step('over', 128, 'ch-place', (ctx, view) => this.spots(ctx, view));
    board.map.on('moveend', () => this.load());
    if (LAYERS.some((layer) => board.shows(`ch-${layer}`))) document.getElementById('chief-layers')?.setAttribute('open', '');
    this.load();
  }

  load() { for (const layer of LAYERS) this.fetch(layer); }

  reload() { for (const layer of LAYERS) this.of[layer].covered.forget(); this.load(); }

  async fetch(layer) {
    const { board } = this;
    const mine = this.of[layer];
    if (!board.shows(`ch-${layer}`) || mine.covered.holds(board.seen(0))) return;
    const box = board.seen(0.4);
    const answer = await mine.asking.ask(`/map/chiefs?of=${layer}&bbox=${asText(box)}&on=${this.state.on}`);
    if (!answer) return;
    mine.covered.keep(box);
    mine.list = answer.items.map((item) => this.shape(item));
    board.request('all');
  }

  shape([code, name, sort, people, { point, lines, areas }]) {
    const { frame } = this.board;
    const rings = (areas || []).flat().map((ring) => frame.flat(ring));
    const flat = (lines || []).map((line) => frame.flat(line));
    const spot = point ? frame.flat(point) : null;
    const box = spot ? [spot[0], spot[1], spot[0], spot[1]] : boxOf([...rings, ...flat]);
    const path = new Path2D();
    for (const ring of rings) trace(path, ring, true);
    for (const line of flat) trace(path, line);
    return { code, name: name || '', sort, people, path, lines: flat, box, at: spot || [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], held: people.length > 0 };
  }

  /** "路长 李*，街长 王*", or that there is nobody. */
  words(item) { return item.held ? item.people.map(([role, who]) => `${role} ${who}`).join(' ') : say('nobody'); }

  streets(ctx, view) {
    ctx.lineCap = 'butt';
    for (const item of this.of.street.list) {
      if (!meets(item.box, view.box)) continue;
      const q = STREET[Math.min(3, Number(item.sort) || 0)];
      const width = view.w(Math.max(q.min * Math.min(1, 0.35 + view.s * 3), q.m * view.s * 0.62));
      if (item.held) {
        ctx.globalAlpha = view.s > 0.6 ? 0.4 : 0.85; ctx.strokeStyle = token('--com-0-ink'); ctx.lineWidth = width; ctx.stroke(item.path);
      } else {
        ctx.globalAlpha = 1; ctx.strokeStyle = '#fff'; ctx.lineWidth = width + view.w(2); ctx.stroke(item.path);
        ctx.strokeStyle = token('--late'); ctx.lineWidth = Math.max(width * 0.8, view.w(1.8)); ctx.setLineDash([view.w(6), view.w(4)]); ctx.stroke(item.path); ctx.setLineDash([]);
      }
    }
    ctx.globalAlpha = 1;
  }

  houses(ctx, view) {
    if (view.s < HOUSES_FROM) return;
    for (const item of this.of.building.list) {
      if (!meets(item.box, view.box)) continue;
      ctx.globalAlpha = 0.75; ctx.fillStyle = token('--com-3'); ctx.fill(item.path, 'evenodd');
      ctx.globalAlpha = 1; ctx.strokeStyle = token('--com-3-ink'); ctx.lineWidth = view.w(1.2); ctx.stroke(item.path);
    }
  }

  reaches(ctx, view) {
    for (const item of this.of.reach.list) {
      if (!meets(item.box, view.box)) continue;
      if (item.held) {
        ctx.globalAlpha = 0.2; ctx.fillStyle = token('--done-fill'); ctx.fill(item.path, 'evenodd');
        ctx.globalAlpha = 1; ctx.strokeStyle = token('--done'); ctx.lineWidth = view.w(1.8); ctx.stroke(item.path);
      } else this.hatched(ctx, view, item);
    }
    ctx.globalAlpha = 1;
  }

  hatched(ctx, view, item) {
    ctx.save();
    ctx.clip(item.path, 'evenodd');
    ctx.fillStyle = 'rgba(255,255,255,.75)'; ctx.fill(item.path, 'evenodd');
    ctx.strokeStyle = token('--late'); ctx.lineWidth = view.w(1.1); ctx.beginPath();
    const [x0, y0, x1, y1] = item.box;
    const step = Math.max(view.w(8), (x1 - x0 + y1 - y0) / 300);
    for (let c = x0 - y1; c < x1 - y0; c += step) { ctx.moveTo(y0 + c, y0); ctx.lineTo(y1 + c, y1); }
    ctx.stroke();
    ctx.restore();
    ctx.strokeStyle = token('--late'); ctx.lineWidth = view.w(1.4); ctx.setLineDash([view.w(4), view.w(3)]); ctx.stroke(item.path); ctx.setLineDash([]);
  }

  spots(ctx, view) {
    const near = view.zoom >= 15;
    for (const item of this.of.place.list) {
      const [x, y] = view.px(...item.at);
      const r = near && ICONED.includes(item.sort) ? 12.5 : 6; // room for the facility's own icon
      if (x < -20 || y < -20 || x > view.width + 20 || y > view.height + 20) continue;
      ctx.beginPath(); ctx.arc(x, y, r, 0, 7);
      ctx.fillStyle = '#fff'; ctx.fill();
      ctx.strokeStyle = token(item.held ? '--done' : '--late'); ctx.lineWidth = 2.4;
      if (!item.held) ctx.setLineDash([3.4, 2.4]);
      ctx.stroke(); ctx.setLineDash([]);
      if (view.s > NAMES_FROM.place) item.tip = [x, y + r + 12];
    }
  }

  // names, placed among the map's own (names.js)

  streetNames(names) {
    if (!this.board.shows('ch-street') || names.view.s < NAMES_FROM.street) return;
    const deepest = names.view.s > 0.62 ? 3 : names.view.s > 0.42 ? 2 : 1;
    const list = this.of.street.list.filter((one) => Number(one.sort) <= deepest && meets(one.box, names.view.box)).sort((a, b) => a.sort - b.sort);
    for (const item of list) {
      const colour = token(item.held ? '--com-0-ink' : '--late');
      for (const line of item.lines) if (along(names, line, `${item.name} ${this.words(item)}`, { font: `500 11px ${FONT}`, colour, lo: 0.06, hi: 0.94 })) break;
    }
  }

  reachNames(names) {
    if (!this.board.shows('ch-reach') || names.view.s < NAMES_FROM.reach) return;
    for (const item of this.of.reach.list) {
      const wide = (item.box[2] - item.box[0]) * names.view.s;
      if (wide < 90 || !meets(item.box, names.view.box)) continue;
      const [x, y] = names.towardsView(item.at);
      const spots = [0, -16, 16, -32, 32, -48, 48, 64, -64].flatMap((dy) => [0, -40, 40, -90, 90].map((dx) => [x + dx, y + dy]));
      names.place(`${item.name} ${this.words(item)}`, spots.filter(([X, Y]) => this.inside(names, item, X, Y)), `600 12px ${FONT}`, 12, token(item.held ? '--done' : '--late'), 3.4);
    }
  }

  inside(names, item, X, Y) {
    const probe = this.probe ||= document.createElement('canvas').getContext('2d');
    return probe.isPointInPath(item.path, ...names.view.local(X, Y), 'evenodd');
  }

  houseNames(names) {
    if (this.board.shows('ch-building') && names.view.s > NAMES_FROM.building) {
      for (const item of this.of.building.list) if (meets(item.box, names.view.box)) names.place(this.words(item), [names.view.px(...item.at)], `500 11px ${FONT}`, 11, token('--com-3-ink'), 3, 1);
    }
    if (this.board.shows('ch-place') && names.view.s > NAMES_FROM.place) {
      for (const item of this.of.place.list) if (item.tip && meets(item.box, names.view.box)) names.place(`${item.name} ${this.words(item)}`, [item.tip, [item.tip[0], item.tip[1] - 44]], `500 11px ${FONT}`, 11, token(item.held ? '--done' : '--late'), 3, 1);
    }
  }
}
