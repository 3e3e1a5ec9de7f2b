// Two editions on two maps that move together; what changed is outlined, and the table leads to it.
import { Board } from '../map/board.js';
import { Latest } from '../map/fetching.js';
import { Grids } from '../map/grids.js';
import { Ground } from '../map/ground.js';
import { Names } from '../map/names.js';
import { token } from '../map/style.js';

const LOOKS = { new: '--done-fill', gone: '--late-fill', reshaped: '--way-fill', words: '--accent' };
const config = JSON.parse(document.getElementById('steward-config').textContent);
const still = { on: config.today, today: config.today, grid: null, hidden: new Set(), told: [] };

/** One map with its layers; `side` is left or right. */
function sideOf(side, map) {
  map.options.zoomAnimation = false;
  map._zoomAnimated = false;
  const state = { ...still };
  const board = new Board(map, config);
  const ground = new Ground(board, state);
  const grids = new Grids(board, state);
  const looks = new Map();
  new Names(board, state, { ground, grids });
  board.step('world', 96, 'always', (ctx, view) => {
    for (const [code, look] of looks) {
      const grid = grids.byCode.get(code) || grids.micro.find((one) => one.code === code);
      if (!grid) continue;
      ctx.globalAlpha = 0.16; ctx.fillStyle = token(LOOKS[look]); ctx.fill(grid.path);
      ctx.globalAlpha = 1; ctx.strokeStyle = '#fff'; ctx.lineWidth = view.w(5); ctx.stroke(grid.path);
      ctx.strokeStyle = token(LOOKS[look]); ctx.lineWidth = view.w(2.4);
      if (look === 'words') ctx.setLineDash([view.w(6), view.w(4)]);
      ctx.stroke(grid.path);
      ctx.setLineDash([]);
    }
  });
  return { side, map, board, grids, looks, state };
}

const maps = new Set(window.steward.queue.map(([, map]) => map));
const sides = [...maps].map((map, i) => sideOf(i ? 'right' : 'left', map));
const fit = (map, [west, south, east, north], padding) => map.fitBounds([[south, west], [north, east]], { padding: [padding, padding], animate: false });

let leading = null;
for (const one of sides) {
  const other = sides.find((each) => each !== one);
  one.map.on('move zoom', () => {
    if (leading && leading !== one) return;
    leading = one;
    other.map.setView(one.map.getCenter(), one.map.getZoom(), { animate: false });
    leading = null;
  });
  one.map.on('click', (e) => {
    const { frame } = one.board;
    const grid = one.grids.gridAt(frame.x(e.latlng.lng), frame.y(e.latlng.lat));
    choose(grid ? { [one.side]: grid.code } : {});
  });
  new ResizeObserver(() => one.map.invalidateSize({ pan: false })).observe(one.map.getContainer());
}

/** Outlines a grid on both sides and marks its row. */
function choose({ left, right }, bring = false) {
  const rows = [...document.querySelectorAll('tr[data-left]')];
  const row = rows.find((each) => (left && each.dataset.left === left) || (right && each.dataset.right === right));
  const codes = { left: row?.dataset.left || left || right, right: row?.dataset.right || right || left };
  let box = null;
  for (const one of sides) {
    one.state.grid = codes[one.side] || null;
    const { frame } = one.board;
    const found = one.grids.chosen;
    if (found && !box) box = [frame.lon(found.box[0]), frame.lat(found.box[1]), frame.lon(found.box[2]), frame.lat(found.box[3])];
    one.board.request('over');
  }
  for (const each of rows) each.toggleAttribute('data-chosen', each === row);
  if (bring && box) fit(sides[0].map, box, 60);
}
document.querySelector('tbody')?.addEventListener('click', (e) => {
  const row = e.target.closest('tr');
  choose({ left: row.dataset.left, right: row.dataset.right }, true);
  document.querySelector('.pair').scrollIntoView({ block: 'nearest' });
});
for (const select of document.querySelectorAll('[data-reload]')) {
  select.addEventListener('change', () => {
    if (select.name === 'community') for (const name of ['left', 'right']) select.form.elements[name].disabled = true;
    select.form.submit();
  });
}

const answer = await new Latest('grids').ask(config.data);
if (answer) {
  for (const one of sides) {
    one.grids.parse(answer[one.side]);
    for (const change of answer.changes) {
      const code = change[`${one.side}_code`];
      if (code) one.looks.set(code, change.look);
    }
  }
  fit(sides[0].map, config.bounds, 24);
  for (const one of sides) { one.grids.answers = 1; one.board.request('all'); }
}
window.steward.sides = sides;
