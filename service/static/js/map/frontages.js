// Frontages along the walls: valid slate, expired orange and thicker, vacant dashed, without an agreement thin. Asked near by only.
import { Covered, Latest, asText } from './fetching.js';
import { token } from './style.js';

export const FRONTAGES_FROM = 0.3;

export class Frontages {
  constructor(board, state) {
    Object.assign(this, { board, state });
    this.asking = new Latest('frontages');
    this.covered = new Covered();
    this.list = [];
    this.paths = null;
    this.many = [];
    board.step('world', 70, 'frontages', (ctx, view) => this.draw(ctx, view));
    board.map.on('moveend', () => this.load());
    this.load();
  }

  get near() { return this.board.frame.perMetre(this.board.map.getZoom()) >= FRONTAGES_FROM; }

  async load() {
    const { board } = this;
    if (!this.near || !board.shows('frontages') || this.covered.holds(board.seen(0))) return;
    const box = board.seen(0.4);
    const answer = await this.asking.ask(`/map/frontages?bbox=${asText(box)}&on=${this.state.on}`);
    if (!answer) return;
    this.covered.keep(box);
    this.list = answer.frontages.map(([code, name, standing, coords]) => ({ code, name, standing, line: board.frame.flat(coords) }));
    if (answer.more) for (const fn of this.many) fn(this.list.length);
    const path = (standing) => this.list.filter((f) => f.standing === standing).reduce((p, f) => this.add(p, f.line), new Path2D());
    this.paths = { valid: path('valid'), expired: path('expired'), vacant: path('vacant'), none: path('none') };
    board.request('all');
  }

  reload() { this.covered.forget(); this.load(); }

  add(path, line) {
    path.moveTo(line[0], line[1]);
    if (line.length === 2) path.lineTo(line[0] + 3, line[1]);
    for (let i = 2; i < line.length; i += 2) path.lineTo(line[i], line[i + 1]);
    return path;
  }

  draw(ctx, view) {
    if (!this.paths || view.s < FRONTAGES_FROM) return;
    const width = Math.max(1.8, 3.4 * view.s);
    const stroke = (path, colour, px) => { ctx.strokeStyle = colour; ctx.lineWidth = view.w(px); ctx.stroke(path); };
    stroke(this.paths.valid, token('--front-signed'), width);
    stroke(this.paths.expired, token('--front-expired'), width + 0.6);
    stroke(this.paths.none, token('--front-none'), width * 0.5);
    ctx.setLineDash([view.w(2), view.w(2)]);
    stroke(this.paths.vacant, token('--front-vacant'), width);
    ctx.setLineDash([]);
  }
}
