// The ground under a form's map: waters, houses, streets and the grids with their codes, read once per view.
const css = getComputedStyle(document.documentElement);
const token = (name) => css.getPropertyValue(name).trim();
const ROAD_M = [17, 12, 9, 4.5];
const ROAD_MIN = [2.4, 1.8, 1.3, 0.8];
const NAMES_FROM = 14.75;
const EARTH_M = 156543.03;
const get = async (url) => {
  try {
    const answer = await fetch(url, { headers: { 'X-Requested-With': 'fetch' }, credentials: 'same-origin' });
    return answer.ok ? await answer.json() : null;
  } catch { return null; }
};

export class Ground {
  constructor(map, on, L) {
    Object.assign(this, { map, on, L });
    map.createPane('grids').style.zIndex = 420;
    map.getPane('grids').style.pointerEvents = 'none';
    this.canvas = L.canvas({ padding: 0.3 });
    this.above = L.canvas({ padding: 0.3, pane: 'grids' });
    this.under = L.layerGroup().addTo(map);
    this.over = L.layerGroup().addTo(map);
    this.whole = false;
    map.on('moveend', () => this.load());
    map.on('zoomend', () => this.widths());
    this.grids();
    this.load();
  }

  shape(kind, at, style) { return this.L[kind](at, { renderer: this.canvas, interactive: false, smoothFactor: 1, ...style }); }

  async grids() {
    const answer = await get(`/map/grids.geojson?on=${this.on}`);
    for (const { geometry, properties } of answer?.features || []) {
      if (properties.kind === 'micro_grid') continue;
      const parts = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
      for (const rings of parts) this.shape('polygon', rings.map(turned), { color: token('--com-line'), weight: 1.2, opacity: 0.6, fill: false, renderer: this.above, pane: 'grids' }).addTo(this.over);
      const [lon, lat] = properties.label;
      const name = this.L.divIcon({ className: 'grid-name', html: '', iconSize: [44, 18] });
      const sign = this.L.marker([lat, lon], { icon: name, interactive: false, keyboard: false }).addTo(this.over);
      sign.getElement().textContent = properties.short;
    }
  }

  async load() {
    if (this.whole) return;
    const b = this.map.getBounds().pad(0.2);
    const asked = `/map/ground?bbox=${[b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((v) => v.toFixed(6)).join(',')}&z=${Math.round(this.map.getZoom())}`;
    this.asked = asked;
    const answer = await get(asked);
    if (!answer || this.asked !== asked) return;
    this.whole = answer.complete;
    this.draw(answer);
  }

  draw({ origin: [lon, lat], unit, streets, buildings, areas }) {
    const points = (flat) => { const out = []; for (let i = 0; i < flat.length; i += 2) out.push([lat + flat[i + 1] * unit, lon + flat[i] * unit]); return out; };
    this.under.clearLayers();
    const fill = (rings, colour, edge) => this.shape('polygon', rings.map(points), { stroke: !!edge, color: edge, weight: 0.8, fillColor: colour, fillOpacity: 1 }).addTo(this.under);
    for (const [kind, colour] of [['wood', '--map-wood'], ['dense_wood', '--map-dense'], ['bank', '--map-bank'], ['park', '--map-park']]) for (const shape of areas[kind] || []) fill(shape, token(colour));
    for (const shape of areas.river || []) fill(shape, token('--map-water'), token('--map-shore'));
    for (const ring of buildings) fill([ring], token('--map-building'), token('--map-building-edge'));
    const roads = streets.map(([, level, flat]) => [Math.min(3, level || 0), points(flat)]).sort((a, b) => b[0] - a[0]);
    this.roads = [];
    for (const edge of [1, 0]) for (const [level, at] of roads) this.roads.push([this.shape('polyline', at, { color: token(edge ? '--map-casing' : '--map-street') }).addTo(this.under), level, edge]);
    this.widths();
  }

  widths() {
    this.map.getContainer().classList.toggle('far', this.map.getZoom() < NAMES_FROM);
    const scale = 2 ** this.map.getZoom() / (EARTH_M * Math.cos((this.map.getCenter().lat * Math.PI) / 180));
    for (const [line, level, edge] of this.roads || []) line.setStyle({ weight: Math.max(ROAD_MIN[level], ROAD_M[level] * scale) + edge * 1.5 });
  }
}

const turned = (ring) => ring.map(([lon, lat]) => [lat, lon]);
