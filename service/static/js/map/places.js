// Facilities as small ink icons on white discs, from zoom 15; they give way to incidents.
import { Covered, Latest, asText } from './fetching.js';
import { FONT, token } from './style.js';

const FROM_ZOOM = 15;
const WORDS = { toilet: 'WC' }; // plainer than any picture at this size
const ICONS = {
  market: 'M2.5 6.5h11l-1.2 7H3.7zM5 6.500 7 2.500M11 6.500 9 2.500',
  refuse_station: 'M3 4.500h10M6 4.500v-2h4v2M4.200 4.500l.7 9h6.200l.7-9',
  transfer_station: 'M2.500 12V5.500h6.500V12zM9 7.500h2.700L13.500 10v2H9M5 12.500a1 1 0 1 0 .1 0M11 12.500a1 1 0 1 0 .1 0',
  school: 'M2 6.500 8 3.500l6 3-6 3zM4.500 8v3.500c2 1.600 5 1.600 7 0V8',
  hospital: 'M6.300 3h3.400v3.300H13v3.400H9.700V13H6.300V9.700H3V6.300h3.300z',
};

export class Places {
  constructor(board, state) {
    Object.assign(this, { board, state });
    this.asking = new Latest('places');
    this.covered = new Covered();
    this.list = [];
    this.paths = Object.fromEntries(Object.entries(ICONS).map(([kind, d]) => [kind, new Path2D(d)]));
    board.step('over', 130, 'places', (ctx, view) => this.draw(ctx, view));
    board.map.on('moveend', () => this.load());
    this.load();
  }

  async load() {
    const { board } = this;
    if (board.map.getZoom() < FROM_ZOOM || !board.shows('places') || this.covered.holds(board.seen(0))) return;
    const box = board.seen(0.5);
    const answer = await this.asking.ask(`/map/places?bbox=${asText(box)}&on=${this.state.on}`);
    if (!answer) return;
    this.covered.keep(box);
    this.list = answer.places.filter(([, , kind]) => ICONS[kind] || WORDS[kind]).map(([code, name, kind, lon, lat]) => ({ code, name, kind, x: board.frame.x(lon), y: board.frame.y(lat) }));
    board.request('over');
  }

  reload() { this.covered.forget(); this.load(); }

  draw(ctx, view) {
    if (view.zoom < FROM_ZOOM) return;
    const k = view.s > 0.5 ? 1 : 0.8;
    for (const place of this.list) {
      const [x, y] = view.px(place.x, place.y);
      const r = 9 * k;
      const box = [x - r, y - r, x + r, y + r];
      place.drawn = false;
      if (x < -12 || y < -12 || x > view.width + 12 || y > view.height + 12 || !this.board.free(box)) continue;
      ctx.fillStyle = 'rgba(255,255,255,.9)'; ctx.beginPath(); ctx.arc(x, y, r, 0, 7); ctx.fill();
      this.icon(ctx, place.kind, x, y, k);
      this.board.take(box);
      place.drawn = true;
    }
  }

  icon(ctx, kind, x, y, k) {
    if (WORDS[kind]) {
      ctx.fillStyle = token('--ink-2'); ctx.font = `700 ${8.4 * k}px ${FONT}`; ctx.textAlign = 'center'; ctx.textBaseline = 'alphabetic';
      ctx.fillText(WORDS[kind], x, y + 3 * k);
      return;
    }
    ctx.save();
    ctx.translate(x - 6.4 * k, y - 6.4 * k);
    ctx.scale(0.8 * k, 0.8 * k);
    ctx.strokeStyle = token('--ink-2'); ctx.lineWidth = 1.5; ctx.lineCap = 'round';
    ctx.stroke(this.paths[kind]);
    ctx.restore();
  }
}
