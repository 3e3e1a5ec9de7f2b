// Two stacked canvases in one Leaflet pane: the world (ground, grids) and what lies over it (selection, marks, names).
// They reach beyond the view, move with the map pane while it is dragged, and are drawn anew at rest.
import { Frame } from './frame.js';
import { token } from './style.js';

const { L } = window;
const PAD = 0.2;

export class Board {
  constructor(map, config) {
    this.map = map;
    this.frame = new Frame(config.bounds);
    this.bounds = config.bounds;
    this.base = null; // the shown base map's tile layer
    this.hidden = new Set();
    this.paint = 'com';
    this.steps = { world: [], over: [] };
    this.obstacles = [];
    this.blocks = () => [];
    this.after = [];
    this.wanted = new Set();
    this.pane = map.createPane('board');
    this.pane.classList.add('leaflet-board-pane');
    this.canvas = { world: this.makeCanvas(), over: this.makeCanvas() };
    map.on('moveend viewreset resize', () => this.request('all'));
    map.on('move', () => this.moving());
    map.on('zoomanim', (e) => this.stretch(e.center, e.zoom));
    if (document.fonts) document.fonts.addEventListener('loadingdone', () => this.request('over'));
  }

  makeCanvas() {
    const canvas = document.createElement('canvas');
    canvas.className = 'board-canvas leaflet-zoom-animated';
    this.pane.append(canvas);
    return canvas;
  }

  /** Draw `fn(ctx, view)` at a place in the order, on 'world' (metres) or 'over' (pixels); `layer` hides it. */
  step(part, order, layer, fn) {
    this.steps[part].push({ order, layer, fn });
    this.steps[part].sort((a, b) => a.order - b.order);
  }

  shows(layer) { return !this.hidden.has(layer); }

  /** Redraw 'over', or 'all', in the next frame. */
  request(part = 'all') {
    if (part === 'all') this.wanted.add('world');
    this.wanted.add('over');
    this.soon ||= requestAnimationFrame(() => {
      this.soon = null;
      this.draw();
    });
  }

  moving() {
    if (!this.drawn) return;
    const zoom = this.map.getZoom();
    if (zoom !== this.drawn.zoom) { this.stretch(this.map.getCenter(), zoom); return; }
    const at = this.map.containerPointToLayerPoint([0, 0]).subtract(this.drawn.corner);
    if (Math.abs(at.x) > this.drawn.padX * 0.9 || Math.abs(at.y) > this.drawn.padY * 0.9) this.request('all');
  }

  /** While zooming, the last picture is scaled. */
  stretch(center, zoom) {
    if (!this.drawn) return;
    const { drawn, map } = this;
    const scale = map.getZoomScale(zoom, drawn.zoom);
    const half = L.point(drawn.width / 2, drawn.height / 2);
    const offset = half.multiplyBy(-scale).add(map.project(drawn.center, zoom)).subtract(map._getNewPixelOrigin(center, zoom));
    for (const canvas of Object.values(this.canvas)) L.DomUtil.setTransform(canvas, offset, scale);
  }

  /** What the steps need to know of the present view. */
  look() {
    const { map, frame } = this;
    const size = map.getSize();
    const padX = Math.round(size.x * PAD);
    const padY = Math.round(size.y * PAD);
    const zoom = map.getZoom();
    const corner = map.containerPointToLayerPoint([0, 0]);
    const topLeft = L.point(corner.x - padX, corner.y - padY);
    const zero = map.project([frame.lat0, frame.lon0], zoom).subtract(map.getPixelOrigin()).subtract(topLeft);
    const s = frame.perMetre(zoom);
    const width = size.x + 2 * padX;
    const height = size.y + 2 * padY;
    const e = zero.x;
    const f = zero.y;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    return {
      s, e, f, ratio, zoom, width, height, padX, padY, corner, topLeft, center: map.getCenter(),
      port: [padX, padY, padX + size.x, padY + size.y],
      box: [-e / s, (f - height) / s, (width - e) / s, f / s],
      px: (x, y) => [s * x + e, f - s * y],
      local: (X, Y) => [(X - e) / s, (f - Y) / s],
      w: (pixels) => pixels / s,
      world: (ctx) => ctx.setTransform(ratio * s, 0, 0, -ratio * s, ratio * e, ratio * f),
      screen: (ctx) => ctx.setTransform(ratio, 0, 0, ratio, 0, 0),
    };
  }

  draw() {
    const size = this.map.getSize();
    if (!size.x || !size.y) return;
    const view = this.look();
    const sameView = this.drawn && this.drawn.zoom === view.zoom && this.drawn.topLeft.equals(view.topLeft) && this.drawn.width === view.width && this.drawn.height === view.height;
    const parts = this.wanted.has('world') || !sameView ? ['world', 'over'] : ['over'];
    this.wanted.clear();
    this.view = view;
    this.drawn = view;
    this.obstacles = this.blocks(view);
    for (const part of parts) this.drawPart(part, view);
    for (const fn of this.after) fn(view);
  }

  drawPart(part, view) {
    const canvas = this.canvas[part];
    const ctx = canvas.getContext('2d');
    const wide = Math.round(view.width * view.ratio);
    const high = Math.round(view.height * view.ratio);
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide; canvas.height = high;
      canvas.style.width = `${view.width}px`; canvas.style.height = `${view.height}px`;
    }
    L.DomUtil.setPosition(canvas, view.topLeft);
    view.screen(ctx);
    ctx.globalAlpha = 1;
    ctx.clearRect(0, 0, view.width, view.height);
    if (part === 'world' && !this.base) { ctx.fillStyle = token('--map-land'); ctx.fillRect(0, 0, view.width, view.height); }
    ctx.lineJoin = 'round';
    ctx.lineCap = 'butt';
    for (const step of this.steps[part]) {
      if (this.hidden.has(step.layer)) continue;
      (part === 'world' ? view.world : view.screen)(ctx);
      ctx.globalAlpha = 1;
      step.fn(ctx, view);
    }
  }

  /** The view (with the margin that is drawn) as [west, south, east, north]. */
  seen(share = PAD) {
    const bounds = this.map.getBounds().pad(share);
    const clip = (value, most) => Math.max(-most, Math.min(most, value));
    return [clip(bounds.getWest(), 180), clip(bounds.getSouth(), 85), clip(bounds.getEast(), 180), clip(bounds.getNorth(), 85)];
  }

  /** Whether a box in canvas pixels is free of names, marks and cards. */
  free(box) {
    return !this.obstacles.some((o) => box[0] < o[2] && box[2] > o[0] && box[1] < o[3] && box[3] > o[1]);
  }

  take(box) { this.obstacles.push(box); }

  /** A round length for the scale bar: [metres, pixels]. */
  scaleBar(max = 96) {
    const { s } = this.view;
    const metres = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000].filter((m) => m * s <= max).pop() || 10;
    return [metres, Math.round(metres * s)];
  }
}
