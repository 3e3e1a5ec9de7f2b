// Base maps of the office's registry; none by default. A GCJ-02 layer is shifted back tile by tile, the data are never shifted.
import { toGcj02 } from './gcj02.js';
import { say } from './words.js';

const { L } = window;
const VENDOR = new URL('../../vendor/', import.meta.url);

/** Pixels by which GCJ-02 content at a place is off. */
function shiftAt(map, lonLat, zoom) {
  const [lon, lat] = toGcj02(lonLat.lng, lonLat.lat);
  return map.project([lat, lon], zoom).subtract(map.project(lonLat, zoom));
}

/** A tile layer whose tiles are in GCJ-02: each is asked and placed where its content belongs. */
const Shifted = L.TileLayer.extend({
  _getTiledPixelBounds(center) {
    const bounds = L.TileLayer.prototype._getTiledPixelBounds.call(this, center);
    const shift = shiftAt(this._map, L.latLng(center), this._tileZoom);
    return L.bounds(bounds.min.add(shift), bounds.max.add(shift));
  },
  _getTilePos(coords) {
    const middle = coords.add([0.5, 0.5]).scaleBy(this.getTileSize());
    const shift = shiftAt(this._map, this._map.unproject(middle, coords.z), coords.z);
    return L.TileLayer.prototype._getTilePos.call(this, coords).subtract(shift.round());
  },
});

async function protomaps(choice) {
  if (!window.protomapsL) {
    await new Promise((done, fail) => {
      const script = document.createElement('script');
      script.src = new URL('protomaps-leaflet/protomaps-leaflet.js', VENDOR).href;
      script.onload = done;
      script.onerror = fail;
      document.head.append(script);
    });
  }
  return window.protomapsL.leafletLayer({ url: choice.url, flavor: 'light', lang: 'zh', maxDataZoom: Math.min(15, choice.max_zoom || 15) });
}

async function layerOf(choice) {
  if (choice.kind === 'pmtiles') return protomaps(choice);
  const Kind = choice.crs === 'gcj02' ? Shifted : L.TileLayer;
  const options = { maxNativeZoom: choice.max_zoom || 18, maxZoom: 22, detectRetina: false, referrerPolicy: 'origin' };
  const picture = new Kind(choice.url, options);
  return choice.labels ? L.layerGroup([picture, new Kind(choice.labels, options)]) : picture;
}

export class Basemaps {
  constructor(board, state, { choices = [] } = {}) {
    Object.assign(this, { board, state, choices });
    this.changed = [];
  }

  /** Shows the base map `id`; 'none' (or an unknown one) shows our own ground. */
  async show(id) {
    const choice = this.choices.find((one) => one.id === id && one.kind !== 'none') || null;
    const { board } = this;
    if (board.base) { board.map.removeLayer(board.base); board.base = null; }
    if (choice) {
      try {
        board.base = (await layerOf(choice)).addTo(board.map);
        board.map.options.zoomSnap = choice.kind === 'xyz' ? 1 : 0.05;
      } catch {
        this.failed?.(say('base_failed'));
      }
    } else board.map.options.zoomSnap = 0.05;
    for (const fn of this.changed) fn(board.base ? choice : null);
    board.request('all');
  }
}
