// The editor of a draft: the board, the tools, the panel, the keys.
import { Basemaps } from '../map/basemaps.js';
import { Board } from '../map/board.js';
import { onFault } from '../map/fetching.js';
import { Ground } from '../map/ground.js';
import { Names } from '../map/names.js';
import { Api } from './api.js';
import { Colleagues } from './colleagues.js';
import { Desk } from './desk.js';
import { byId } from './dom.js';
import { DrawnFaults, DrawnGrids } from './drawn.js';
import { Model } from './model.js';
import { Pages } from './pages.js';
import { Pencil } from './pencil.js';
import { ringsOf } from './shapes.js';
import { Sheet } from './sheet.js';
import { Assign } from './tool-assign.js';
import { Draw } from './tool-draw.js';
import { Merge } from './tool-merge.js';
import { Border, Reshape } from './tool-shape.js';
import { Split } from './tool-split.js';
import { Facts, Naming } from './tool-words.js';
import { word } from './words.js';

const config = JSON.parse(byId('steward-config').textContent);
const phone = window.matchMedia('(max-width: 767px)');
const map = window.steward.queue[0][1];
const state = { on: config.today, today: config.today, grid: null, base: '', hidden: new Set(), told: [] };
const model = new Model();
const board = new Board(map, config);
const ground = new Ground(board, state);
const grids = new DrawnGrids(board, state);
const faults = new DrawnFaults(board, state);
new Names(board, state, { ground, grids });
map._zoomAnimated = map._zoomAnimated && !window.matchMedia('(prefers-reduced-motion: reduce)').matches;
map.options.zoomAnimation = map._zoomAnimated;

const pencil = new Pencil(map, () => [...model.list.map((grid) => ringsOf(grid.geometry)), ...model.around.map((feature) => ringsOf(feature.geometry))]);
const api = new Api(config.id, config.token);
const tools = { split: Split, merge: Merge, border: Border, reshape: Reshape, draw: Draw, name: Naming, facts: Facts, assign: Assign };
const desk = new Desk({ map, board, model, grids, faults, pencil, api, state, config, tools });
onFault((text) => desk.tell(text));
const pages = new Pages(desk);
const sheet = new Sheet(() => board.request('over'));

function home(options = {}) {
  const [west, south, east, north] = config.bounds;
  const pads = phone.matches ? { paddingTopLeft: [12, 12], paddingBottomRight: [12, Math.round(map.getSize().y * 0.5)] } : { paddingTopLeft: [byId('tools').classList.contains('shut') ? 20 : 236, 20], paddingBottomRight: [20, 20] };
  map.fitBounds([[south, west], [north, east]], { ...pads, ...options });
}
home({ animate: false });
board.blocks = (view) => {
  const at = map.getContainer().getBoundingClientRect();
  return [byId('tools')].map((one) => one.getBoundingClientRect()).filter((r) => r.width).map((r) => [r.left - at.left + view.padX - 4, r.top - at.top + view.padY - 4, r.right - at.left + view.padX + 4, r.bottom - at.top + view.padY + 4]);
};
board.after.push(() => {
  const [metres, px] = board.scaleBar();
  byId('scale-bar').setAttribute('d', `M.5 1v6h${px}V1`);
  byId('scale').setAttribute('width', px + 1);
  byId('scale-text').textContent = metres < 1000 ? `${metres} m` : `${metres / 1000} km`;
});
new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(map.getContainer());

model.told.push((shapes) => {
  grids.take(model, shapes);
  faults.show(model.faults, desk.refused);
});

map.on('click', (e) => {
  if (pencil.drawing) return;
  const grid = grids.gridAt(board.frame.x(e.latlng.lng), board.frame.y(e.latlng.lat));
  desk.clicked(grid ? grid.code : null, e.latlng);
});

function take(name) {
  if (name === 'mend') { desk.drop(); pages.open('faults'); sheet.to('half'); return; }
  if (desk.toolName === name) { desk.drop(); return; }
  desk.take(name);
  if (phone.matches) { fold(true); sheet.to('half'); }
}
for (const one of document.querySelectorAll('[data-tool]')) one.addEventListener('click', () => take(one.dataset.tool));

function fold(shut) {
  byId('tools').classList.toggle('shut', shut);
  byId('fold').setAttribute('aria-expanded', String(!shut));
  byId('fold').setAttribute('aria-label', word(shut ? 'unfold' : 'fold'));
  board.request('over');
}
byId('fold').addEventListener('click', () => fold(!byId('tools').classList.contains('shut')));
if (phone.matches) fold(true);
byId('undo').addEventListener('click', () => desk.replay('undo'));
byId('redo').addEventListener('click', () => desk.replay('redo'));
byId('z-in').addEventListener('click', () => map.zoomIn(0.5));
byId('z-out').addEventListener('click', () => map.zoomOut(0.5));
byId('z-fit').addEventListener('click', () => home());

const typing = (one) => /^(INPUT|SELECT|TEXTAREA)$/.test(one.tagName) || one.isContentEditable;
document.addEventListener('keydown', (e) => {
  if (e.isComposing) return;
  if (e.key === 'Escape') {
    if (!byId('conflict').hidden || (grids.others.size && !desk.tool)) desk.settle();
    else if (desk.tool) desk.drop();
    else if (state.grid) desk.choose(null);
    return;
  }
  const undoing = (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'z';
  const redoing = (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'y';
  if ((undoing || redoing) && !typing(e.target)) {
    e.preventDefault();
    if (pencil.drawing) { if (!e.shiftKey) pencil.backOne(); } else desk.replay(redoing || e.shiftKey ? 'redo' : 'undo');
    return;
  }
  if (e.key === 'Enter' && !e.ctrlKey && !e.altKey && desk.tool && !/^(BUTTON|A|TEXTAREA|INPUT|SELECT)$/.test(e.target.tagName)) {
    e.preventDefault();
    if (pencil.drawing) desk.tool.finish(); else desk.save();
  }
});
window.addEventListener('beforeunload', (e) => { if (pencil.layer || pencil.points > 1) e.preventDefault(); });

const [, , base] = window.steward.queue.find(([kind]) => kind === 'basemaps');
const basemaps = new Basemaps(board, state, base);
byId('base')?.addEventListener('change', (e) => basemaps.show(e.target.value));

const answer = await api.get();
if (answer.ok) {
  model.load(answer.body);
  if (model.state !== 'open') desk.tell(word('read_only'));
} else desk.tell(answer.why);
new Colleagues(desk);
board.request('all');
Object.assign(window.steward, { board, desk, model, pencil, grids, pages, parts: { grids } });
