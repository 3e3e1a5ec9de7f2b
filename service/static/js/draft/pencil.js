// Geoman as far as drawing needs it: one line or one polygon at a time, snapping to the grids in view.
const { L } = window;
const LOOK = { color: '#1848C8', weight: 3, opacity: 1, fillColor: '#1848C8', fillOpacity: 0.08 };
const MANY = 90; // vertices: beyond it only those near the pointer have handles

export class Pencil {
  /** @param shapes fn() -> [{ring lists of [lon, lat]}]: what to snap to */
  constructor(map, shapes) {
    Object.assign(this, { map, shapes });
    this.layer = null;
    this.busy = null;
    this.snaps = L.layerGroup().addTo(map);
    map.pm.setGlobalOptions({ snappable: true, snapDistance: 16, snapVertex: true, snapSegment: true, allowSelfIntersection: true, tooltips: false, templineStyle: LOOK, hintlineStyle: { ...LOOK, dashArray: '6 5' }, pathOptions: LOOK });
    map.on('moveend', () => { if (this.busy || this.layer) this.reference(); });
    map.on('pm:create', ({ layer }) => this.created(layer));
  }

  get drawing() { return !!this.busy; }

  /** Invisible outlines to snap to, only what is in view. */
  reference() {
    this.snaps.clearLayers();
    const seen = this.map.getBounds().pad(0.1);
    for (const rings of this.shapes()) {
      const latlngs = rings.map((ring) => ring.map(([lon, lat]) => [lat, lon]));
      const outline = L.polygon(latlngs, { stroke: false, fill: false, interactive: false, pmIgnore: false });
      if (seen.intersects(outline.getBounds())) this.snaps.addLayer(outline);
    }
  }

  /** Draws a 'Line' or a 'Polygon'; `done` gets the layer, whose vertices can then be dragged. */
  draw(kind, done) {
    this.clear();
    this.busy = kind;
    this.done = done;
    this.reference();
    this.map.getContainer().classList.add('drawing-now');
    this.map.pm.enableDraw(kind, { snappable: true, snapDistance: 16, finishOn: kind === 'Line' ? 'dblclick' : null, tooltips: false, templineStyle: LOOK, hintlineStyle: { ...LOOK, dashArray: '6 5' }, pathOptions: LOOK });
  }

  created(layer) {
    const { done } = this;
    this.rest();
    this.hold(layer);
    if (done) done(layer);
  }

  /** Makes a layer editable: a line or polygon of [lon, lat]. */
  edit(kind, coordinates) {
    this.clear();
    this.reference();
    const flip = (one) => (typeof one[0] === 'number' ? [one[1], one[0]] : one.map(flip));
    const layer = kind === 'Line' ? L.polyline(flip(coordinates), LOOK) : L.polygon(flip(coordinates), LOOK);
    layer.addTo(this.map);
    this.hold(layer);
  }

  hold(layer) {
    this.layer = layer;
    const count = layer.getLatLngs().flat(3).length;
    layer.pm.enable({ snappable: true, snapDistance: 16, allowSelfIntersection: true, hideMiddleMarkers: false, ...(count > MANY && !L.Browser.mobile ? { limitMarkersToCount: MANY } : {}) });
  }

  /** Ends what is being drawn, as a double click does. */
  finish() { if (this.busy) this.map.pm.Draw[this.busy]._finishShape(); }

  backOne() { if (this.busy) this.map.pm.Draw[this.busy]._removeLastVertex(); }

  get points() { return this.busy ? this.map.pm.Draw[this.busy]._layer?.getLatLngs().flat().length || 0 : 0; }

  /** What stands drawn, as GeoJSON; null when nothing does. */
  get geometry() { return this.layer ? this.layer.toGeoJSON(10).geometry : null; }

  rest() {
    if (this.busy) this.map.pm.disableDraw();
    this.busy = null;
    this.done = null;
    this.map.getContainer().classList.remove('drawing-now');
  }

  clear() {
    this.rest();
    if (this.layer) { this.layer.pm.disable(); this.layer.remove(); }
    this.layer = null;
    this.snaps.clearLayers();
  }
}
