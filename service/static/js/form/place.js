// The place on the form's map: a click adds a point, points can be dragged; the text below holds the same coordinates.
import { Ground } from './ground.js';

const ACCENT = getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
const $ = (id) => document.getElementById(id);
const asText = (points) => points.map(([lon, lat]) => `${lon.toFixed(6)}, ${lat.toFixed(6)}`).join('\n');

export class Place {
  constructor(box, text, L) {
    Object.assign(this, { box, text, L });
    box.hidden = false;
    $('place-tools').hidden = false;
    this.map = L.map(box, { attributionControl: false, zoomControl: false, zoomSnap: 0.25, maxZoom: 21, scrollWheelZoom: true, fadeAnimation: false });
    this.first = text.value;
    this.parts = parse(text.value);
    this.drawn = L.layerGroup().addTo(this.map);
    this.frame();
    this.ground = new Ground(this.map, box.dataset.on, L);
    this.map.on('click', (e) => this.add(e.latlng));
    box.addEventListener('keydown', (e) => { if (e.key === 'Enter') { e.preventDefault(); this.add(this.map.getCenter()); } });
    text.addEventListener('input', () => { this.parts = parse(text.value); this.draw(); this.frame(); this.ask(); });
    for (const radio of document.querySelectorAll('[name="shape"]')) radio.addEventListener('change', () => this.change());
    $('place-undo').addEventListener('click', () => { this.last?.pop(); this.tell(); });
    $('place-clear').addEventListener('click', () => { this.parts = []; this.tell(); });
    $('place-back')?.addEventListener('click', () => { this.parts = parse(this.first); this.text.value = this.first; this.draw(); this.frame(); this.ask(); });
    $('place-in').addEventListener('click', () => this.map.zoomIn());
    $('place-out').addEventListener('click', () => this.map.zoomOut());
    this.draw();
    this.ask();
  }

  get shape() { return (document.querySelector('[name="shape"]:checked') || document.querySelector('[name="shape"]')).value; }

  get last() { return this.parts[this.parts.length - 1]; }

  get points() { return this.parts.flat(); }

  /** Shows the place, or the office's area when there is none yet. */
  frame() {
    const at = this.points.map(([lon, lat]) => [lat, lon]);
    const [west, south, east, north] = this.box.dataset.bounds.split(',').map(Number);
    if (at.length) this.map.fitBounds(at, { maxZoom: 19, padding: [60, 60], animate: false });
    else this.map.fitBounds([[south, west], [north, east]], { animate: false });
  }

  add({ lng, lat }) {
    const point = [lng, lat];
    if (this.shape === 'point' || !this.parts.length) this.parts = [[point]];
    else this.last.push(point);
    this.tell();
  }

  /** Another shape keeps the points that it can hold. */
  change() {
    if (this.shape === 'point' && this.points.length) this.parts = [[this.points[this.points.length - 1]]];
    this.tell();
  }

  /** What was drawn, into the text and onto the map. */
  tell() {
    this.parts = this.parts.filter((part) => part.length);
    this.text.value = this.parts.map(asText).join('\n\n');
    this.draw();
    this.ask();
  }

  draw() {
    const { L } = this;
    this.drawn.clearLayers();
    this.parts.forEach((part) => {
      const at = part.map(([lon, lat]) => [lat, lon]);
      if (this.shape === 'area' && at.length > 2) L.polygon(at, { color: ACCENT, weight: 3, fillOpacity: 0.08, interactive: false }).addTo(this.drawn);
      else if (at.length > 1) {
        L.polyline(at, { color: '#fff', weight: 9, interactive: false }).addTo(this.drawn);
        L.polyline(at, { color: ACCENT, weight: 5, interactive: false }).addTo(this.drawn);
      }
      if (part.length <= 60) part.forEach((_, i) => this.vertex(part, i));
    });
  }

  vertex(part, i) {
    const icon = this.L.divIcon({ className: 'vertex', iconSize: [16, 16] });
    const mark = this.L.marker([part[i][1], part[i][0]], { icon, draggable: true, keyboard: false, autoPan: true }).addTo(this.drawn);
    mark.on('dragend', () => { const { lng, lat } = mark.getLatLng(); part[i] = [lng, lat]; this.tell(); });
  }

  /** Says into which grid the place falls, and who leads it. */
  async ask() {
    const say = $('falls');
    const words = say.dataset;
    const { points } = this;
    const tell = (text, out) => { say.textContent = text; say.classList.toggle('out', !!out); };
    if (!points.length) { tell(words.none); return; }
    const [lon, lat] = middle(points);
    this.asking?.abort();
    this.asking = new AbortController();
    try {
      const answer = await fetch(`/api/v1/lookup?lon=${lon.toFixed(7)}&lat=${lat.toFixed(7)}`, { signal: this.asking.signal, credentials: 'same-origin' });
      if (!answer.ok) { tell((await answer.json()).detail || '', true); return; }
      const { grid, community, duties } = await answer.json();
      if (!grid) { tell(words.out, true); return; }
      const leader = duties.find((one) => one.role === 'grid_leader');
      tell(`${words.in} ${community.name} ${grid.code.slice(-3)}　${leader ? `${words.leader} ${leader.person.name}` : words.vacant}`);
    } catch (fault) {
      if (fault.name !== 'AbortError') tell('');
    }
  }
}

/** Lines of "lon, lat"; an empty line begins another part. Lines that can't be read are left to the server's answer. */
function parse(text) {
  const parts = text.split(/\n\s*\n/).map((block) => block.split('\n').map(pair).filter(Boolean));
  return parts.filter((part) => part.length);
}

function pair(line) {
  const match = line.trim().match(/^(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)$/);
  if (!match) return null;
  const [lon, lat] = [Number(match[1]), Number(match[2])];
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? [lon, lat] : null;
}

/** The point half-way along the line; of one point itself. */
function middle(points) {
  const steps = points.slice(1).map((b, i) => Math.hypot(b[0] - points[i][0], b[1] - points[i][1]));
  let rest = steps.reduce((a, b) => a + b, 0) / 2;
  for (let i = 0; i < steps.length; i += 1) {
    if (steps[i] >= rest && steps[i] > 0) {
      const t = rest / steps[i];
      return [points[i][0] + (points[i + 1][0] - points[i][0]) * t, points[i][1] + (points[i + 1][1] - points[i][1]) * t];
    }
    rest -= steps[i];
  }
  return points[0];
}
