// Starts what the page's own script has queued, and wires the page around the map.
import { Audit } from './audit.js';
import { Basemaps } from './basemaps.js';
import { Board } from './board.js';
import { Chiefs } from './chiefs.js';
import { Days } from './days.js';
import { Density } from './density.js';
import { Faults } from './faults.js';
import { onFault } from './fetching.js';
import { Filters } from './filters.js';
import { Frontages } from './frontages.js';
import { Grids } from './grids.js';
import { Ground } from './ground.js';
import { listen } from './keys.js';
import { Legend } from './legend.js';
import { Live } from './live.js';
import { Counts, Incidents } from './marks.js';
import { Names } from './names.js';
import { Panel } from './panel.js';
import { Places } from './places.js';
import { Search } from './search.js';
import { State } from './state.js';
import { token } from './style.js';
import { letters, markDrawn } from './timing.js';
import { say } from './words.js';

const $ = (id) => document.getElementById(id);
const config = JSON.parse($('steward-config').textContent);
const phone = window.matchMedia('(max-width: 767px)');
const map = window.steward.queue[0][1];

/** Says something over the map: for a moment, longer with a button, with `stay` until something else is said. */
function tell(text, { label, act, stay = false } = {}) {
  const box = $('say');
  box.dataset.stays = stay ? '1' : '';
  box.replaceChildren(Object.assign(document.createElement('span'), { textContent: text }));
  if (label) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
    button.addEventListener('click', act);
    box.append(button);
  }
  box.hidden = false;
  clearTimeout(tell.timer);
  if (!stay) tell.timer = setTimeout(() => { box.hidden = true; }, label ? 20000 : 5000);
}
onFault(tell);

const state = new State(window.location.search, config.today || config.on);
map.options.zoomAnimation = map._zoomAnimated = map._zoomAnimated && !window.matchMedia('(prefers-reduced-motion: reduce)').matches;

/** The office's first view (or another box), clear of the layer card and the sheet. */
function home(options = {}, [west, south, east, north] = config.bounds) {
  const pads = phone.matches
    ? { paddingTopLeft: [12, 14], paddingBottomRight: [12, $('panel').dataset.height === 'peek' ? 150 : Math.round(map.getSize().y * 0.56)] }
    : { paddingTopLeft: [$('legend').classList.contains('shut') ? 20 : 226, 14], paddingBottomRight: [14, 14] };
  map.fitBounds([[south, west], [north, east]], { ...pads, ...options });
}
if (window.matchMedia('(max-width: 999px)').matches) $('legend').classList.add('shut'); // open it would cover much of a small map
if (state.at && state.zoom) map.setView([state.at[1], state.at[0]], state.zoom, { animate: false });
else home({ animate: false });
const noteView = () => { const c = map.getCenter(); state.at = [c.lng, c.lat]; state.zoom = map.getZoom(); };
noteView();

const board = new Board(map, config);
board.paint = state.paint;
board.hidden = state.hidden;
board.density = !state.hidden.has('density');
board.blocks = (view) => {
  const at = map.getContainer().getBoundingClientRect();
  return [$('legend'), $('panel')].map((el) => el.getBoundingClientRect())
    .filter((r) => r.width && r.right > at.left && r.left < at.right && r.bottom > at.top && r.top < at.bottom)
    .map((r) => [r.left - at.left + view.padX - 4, r.top - at.top + view.padY - 4, r.right - at.left + view.padX + 4, r.bottom - at.top + view.padY + 4]);
};

// the layers that the page asked for, in its order
const kinds = { ground: Ground, grids: Grids, frontages: Frontages, density: Density, incidents: Incidents, faults: Faults, places: Places, chiefs: Chiefs, audit: Audit };
const parts = {};
for (const [kind, , settings] of window.steward.queue) {
  if (kind === 'basemaps') parts.basemaps = new Basemaps(board, state, settings);
  else if (kind === 'incidents') parts.incidents = new Incidents(board, state, parts.grids);
  else if (kind === 'names') parts.names = new Names(board, state, parts);
  else if (kinds[kind]) parts[kind] = new kinds[kind](board, state, settings);
}
if (!parts.incidents) parts.counts = new Counts(board, parts.grids);
const { grids } = parts;

board.step('over', 110, 'always', (ctx, view) => {
  if (!state.point) return;
  const [x, y] = view.px(board.frame.x(state.point[0]), board.frame.y(state.point[1]));
  ctx.beginPath(); ctx.arc(x, y, 8, 0, 7);
  ctx.strokeStyle = '#fff'; ctx.lineWidth = 5; ctx.stroke();
  ctx.strokeStyle = token('--accent'); ctx.lineWidth = 2; ctx.stroke();
  ctx.beginPath(); ctx.arc(x, y, 2.6, 0, 7); ctx.fillStyle = token('--accent'); ctx.fill();
  board.take([x - 10, y - 10, x + 10, y + 10]);
});
board.after.push(() => {
  const [metres, px] = board.scaleBar();
  $('scale-bar').setAttribute('d', `M.5 1v6h${px}V1`);
  $('scale').setAttribute('width', px + 1);
  $('scale-text').textContent = metres < 1000 ? `${metres} m` : `${metres / 1000} km`;
});

const panel = new Panel(board, state, grids, tell);
const legend = new Legend(board, state, grids);
const filters = $('filters') ? new Filters(state) : null; // strangers have nothing to filter
const days = new Days(state, grids);
new Search(board, state, panel);

if (parts.incidents) parts.incidents.counted.push((byState, total) => legend.counts(byState, total));
parts.incidents?.counted.push((_, total) => {
  if (!total && state.filters) tell(say('nothing_fits'), { label: say('clear_filters'), act: () => filters.clear(), stay: true });
  else if ($('say').dataset.stays) $('say').hidden = true;
});
parts.incidents?.many.push((n) => tell(say('many_incidents', { n })));
parts.frontages?.many.push((n) => tell(say('many_frontages', { n })));
if (parts.audit) parts.audit.ready.push((n) => { $('n-audit').textContent = n; });
if (parts.faults) parts.faults.ready.push((list) => { $('n-faults').textContent = list.length; });
grids.ready.push(() => {
  if (state.point && !state.grid) {
    const grid = grids.gridAt(board.frame.x(state.point[0]), board.frame.y(state.point[1]));
    if (grid) state.grid = grid.code;
  }
});

function reloadIncidents() {
  parts.incidents?.load();
  parts.density?.load();
  if (state.filterQuery() || parts.incidents?.recount) { parts.incidents?.count(); if (parts.incidents) parts.incidents.recount = true; }
}
state.told.push((changed) => {
  const any = (...keys) => keys.some((key) => changed.has(key));
  if (changed.has('paint')) board.paint = state.paint;
  if (changed.has('hidden')) {
    board.density = board.shows('density');
    for (const name of ['ground', 'frontages', 'places', 'faults', 'incidents', 'density', 'audit']) if (board.shows(name)) parts[name]?.load();
    parts.chiefs?.load();
  }
  if (changed.has('on')) { grids.load(); parts.frontages?.reload(); parts.faults?.load(); parts.ground?.reload(); parts.places?.reload(); parts.chiefs?.reload(); parts.audit?.load(); panel.refresh(); }
  if (any('from', 'to', 'status', 'category', 'community')) reloadIncidents();
  if (any('paint', 'hidden')) board.request('all');
});

map.on('moveend', () => {
  noteView();
  state.write();
});
map.on('click', (e) => {
  const { view } = board;
  const at = map.latLngToLayerPoint(e.latlng).subtract(view.topLeft);
  const hit = parts.incidents?.hit(at.x, at.y);
  const [lon, lat] = hit?.n === 1 && hit.points ? [hit.points[0].lon, hit.points[0].lat] : [e.latlng.lng, e.latlng.lat];
  if (hit && hit.n > 1 && !hit.points) { // a cluster opens, and the click is answered all the same
    const { frame } = board;
    map.once('zoomend', () => panel.uncover(lon, lat)); // the zoom's animation ends any movement begun before
    map.setView([frame.lat(hit.home.y), frame.lon(hit.home.x)], Math.min(map.getMaxZoom(), Math.max(Math.min(17, map.getZoom() + 3), map.getZoom() + 1)));
  }
  panel.ask(lon, lat);
});
new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(map.getContainer());

$('z-in').addEventListener('click', () => map.zoomIn(0.5));
$('z-out').addEventListener('click', () => map.zoomOut(0.5));
$('z-fit').addEventListener('click', () => home({}, config.frame));
listen({ map, panel, filters, days });

if (parts.basemaps) {
  const select = $('base');
  parts.basemaps.failed = (text) => tell(text);
  parts.basemaps.changed.push((choice) => {
    const source = say('source', { office: config.office || '' });
    const words = choice ? [choice.attribution || choice.label, source, choice.approval ? say('approval', { no: choice.approval }) : ''] : null;
    if (words) $('attr').textContent = words.filter(Boolean).join(' · ');
    else if (parts.basemaps.plain) $('attr').textContent = parts.basemaps.plain;
    parts.ground?.load();
  });
  parts.basemaps.plain = $('attr').textContent;
  select?.addEventListener('change', () => { state.set({ base: select.value }); parts.basemaps.show(select.value); });
  if (state.base) { if (select) select.value = state.base; parts.basemaps.show(state.base); }
}

const locate = $('locate');
if (locate && window.isSecureContext && navigator.geolocation) {
  locate.hidden = false;
  locate.addEventListener('click', () => navigator.geolocation.getCurrentPosition(({ coords }) => {
    map.setView([coords.latitude, coords.longitude], Math.max(map.getZoom(), 17));
    panel.ask(coords.longitude, coords.latitude);
  }, () => tell(say('no_position')), { enableHighAccuracy: true, timeout: 12000 }));
}

markDrawn(board, { 'grids-drawn': () => grids.answers, 'clusters-drawn': () => parts.incidents?.answers });
grids.load();
parts.incidents?.load();
parts.density?.load();
parts.faults?.load();
parts.audit?.load();
if (state.filterQuery() && parts.incidents) { parts.incidents.recount = true; parts.incidents.count(); }
if (state.point) panel.ask(...state.point, { raise: true });
new Live((changed) => {
  if (changed.has('responsibility') || changed.has('incidents')) grids.load();
  if (changed.has('responsibility')) { parts.frontages?.reload(); parts.faults?.load(); parts.chiefs?.reload(); parts.audit?.load(); }
  if (changed.has('incidents')) { if (parts.incidents) parts.incidents.recount = true; reloadIncidents(); }
  if (changed.has('ground')) { parts.ground?.reload(); parts.places?.reload(); parts.chiefs?.reload(); }
  panel.refresh();
});
board.request('all');
letters(board, () => grids.answers && (!parts.incidents || parts.incidents.answers));
window.steward.board = board;
window.steward.parts = parts;
