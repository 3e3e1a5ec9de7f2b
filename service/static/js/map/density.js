// A picture of where incidents are dense: blurred cell counts through a colour ramp. No statistics, and labelled so.
import { Latest, asText } from './fetching.js';
import { token } from './style.js';

const SHRINK = 4;
const REACH_PX = 34;

export class Density {
  constructor(board, state) {
    Object.assign(this, { board, state });
    this.asking = new Latest('clusters');
    this.cells = [];
    board.step('world', 55, 'density', (ctx, view) => this.draw(ctx, view));
    board.map.on('moveend', () => this.load());
  }

  async load() {
    const { board } = this;
    board.density = board.shows('density');
    if (!board.density) return;
    const zoom = Math.max(0, Math.min(22, Math.round(board.map.getZoom())));
    const answer = await this.asking.ask(`/map/clusters?bbox=${asText(board.seen(0.3))}&z=${zoom}&cell=16${this.state.filterQuery()}`);
    if (!answer) return;
    const { frame } = board;
    this.cells = (answer.cells || []).map(([lon, lat, ...c]) => [frame.x(lon), frame.y(lat), c.reduce((a, b) => a + b, 0)]);
    board.request('all');
  }

  draw(ctx, view) {
    if (!this.cells.length) return;
    const wide = Math.ceil(view.width / SHRINK);
    const high = Math.ceil(view.height / SHRINK);
    const heat = this.sum(view, wide, high);
    const sheet = this.sheet ||= document.createElement('canvas');
    sheet.width = wide; sheet.height = high;
    const c = sheet.getContext('2d');
    const image = c.createImageData(wide, high);
    const ramp = this.ramp();
    const top = peak(heat);
    for (let i = 0; i < heat.length; i += 1) {
      const k = Math.min(255, Math.round((255 * Math.sqrt(heat[i])) / Math.sqrt(top)));
      image.data.set(ramp.subarray(4 * k, 4 * k + 4), 4 * i);
    }
    c.putImageData(image, 0, 0);
    view.screen(ctx);
    ctx.imageSmoothingEnabled = true;
    ctx.globalAlpha = 0.82;
    ctx.drawImage(sheet, 0, 0, wide * SHRINK, high * SHRINK);
    ctx.globalAlpha = 1;
  }

  /** Counts spread by a smooth kernel over the shrunken view. */
  sum(view, wide, high) {
    const heat = new Float32Array(wide * high);
    const reach = REACH_PX / SHRINK;
    for (const [lx, ly, n] of this.cells) {
      const [px, py] = view.px(lx, ly);
      const x = px / SHRINK; const y = py / SHRINK;
      for (let j = Math.max(0, Math.ceil(y - reach)); j <= Math.min(high - 1, y + reach); j += 1) {
        for (let i = Math.max(0, Math.ceil(x - reach)); i <= Math.min(wide - 1, x + reach); i += 1) {
          const d = ((i - x) ** 2 + (j - y) ** 2) / reach ** 2;
          if (d < 1) heat[j * wide + i] += n * (1 - d) ** 2;
        }
      }
    }
    return heat;
  }

  ramp() {
    if (this.colours) return this.colours;
    const strip = document.createElement('canvas');
    strip.width = 256; strip.height = 1;
    const c = strip.getContext('2d');
    const gradient = c.createLinearGradient(0, 0, 256, 0);
    gradient.addColorStop(0, 'rgba(255,255,178,0)');
    gradient.addColorStop(0.12, 'rgba(255,255,178,.25)');
    [1, 2, 3, 4, 5].forEach((k, i) => gradient.addColorStop(0.3 + i * 0.175, token(`--seq-${k}`)));
    c.fillStyle = gradient;
    c.fillRect(0, 0, 256, 1);
    this.colours = c.getImageData(0, 0, 256, 1).data;
    return this.colours;
  }
}

/** A high value that a few extreme spots do not set alone. */
function peak(heat) {
  const some = Array.from(heat.filter((v) => v > 0)).sort((a, b) => a - b);
  return some.length ? some[Math.floor(some.length * 0.995)] || 1 : 1;
}
