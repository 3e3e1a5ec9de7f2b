// Assigning on the map: a click or a box chooses subjects, the list beside it says the same; the form does the rest.
import { Board } from './board.js';
import { onFault } from './fetching.js';
import { Grids } from './grids.js';
import { Ground } from './ground.js';
import { Subjects } from './subjects.js';

const $ = (id) => document.getElementById(id);
const config = JSON.parse($('steward-config').textContent);
const form = $('assign');
const list = $('subjects');
const words = form.dataset;
const map = window.steward.queue[0][1];
onFault((text) => { $('say').textContent = text; $('say').hidden = false; });

const [west, south, east, north] = config.bounds;
map.fitBounds([[south, west], [north, east]], { animate: false, padding: [10, 10] });
const board = new Board(map, config);
board.paint = 'plain';
const ground = new Ground(board, { on: config.on });
const grids = new Grids(board, { on: config.on, grid: null });
const subjects = new Subjects(board, words.url);
const MOST_FOUND = 100;
const boxes = () => [...list.querySelectorAll('input[name="subject"]')];

/** The list into the map, and the count. */
function tell() {
  subjects.chosen = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  $('chosen-n').textContent = String(subjects.chosen.size);
  $('chosen-off').hidden = !subjects.chosen.size;
  board.request('over');
}

const lines = () => [...list.querySelectorAll('li:has(input)')]; // beside them the list may say that there is nothing

/** A subject that the list doesn't show gets a line of its own. */
function boxOf(one, last = false) {
  const known = boxes().find((box) => box.value === one.code);
  if (known) return known;
  const line = $('line').content.firstElementChild.cloneNode(true);
  const box = line.querySelector('input');
  box.value = one.code;
  line.querySelector('bdi').textContent = one.name;
  line.querySelector('.alike').textContent = one.alike ? one.code.split(':')[1] : '';
  const holder = line.querySelector('small');
  holder.textContent = one.holder || words.vacant;
  holder.classList.toggle('late-ink', !one.holder);
  if (!one.holder) line.dataset.vacant = '';
  list[last ? 'append' : 'prepend'](line);
  return box;
}

function choose(one, on) {
  if (!one.mine) { $('say').textContent = `${one.name}：${words.elsewhere}`; $('say').hidden = false; return; }
  const box = boxOf(one);
  box.checked = on ?? !box.checked;
  const line = box.closest('li');
  line.hidden = false;
  if (box.checked) line.scrollIntoView({ block: 'nearest' });
}

list.addEventListener('change', tell);
$('chosen-off').addEventListener('click', () => { for (const box of boxes()) box.checked = false; tell(); });

/** What is looked for beyond the page's lines: the map knows every subject. */
function more(text, vacant) {
  const there = new Set(boxes().map((box) => box.value));
  const found = subjects.list.filter((one) => one.mine && !there.has(one.code) && !(vacant && one.holder) && (!text || `${one.name} ${one.code} ${one.holder}`.toLowerCase().includes(text)));
  for (const one of found.slice(0, MOST_FOUND)) boxOf(one, true).checked = false;
}

/** The search field and "vacant only" narrow the list; what is chosen stays in sight. */
function narrow() {
  const text = $('f-q').value.trim().toLowerCase();
  const vacant = $('f-vacant').checked;
  if (text || vacant) more(text, vacant);
  for (const line of lines()) {
    const box = line.querySelector('input');
    line.hidden = !box.checked && ((vacant && !('vacant' in line.dataset)) || (text && !line.textContent.toLowerCase().includes(text) && !box.value.toLowerCase().includes(text)));
  }
}
$('f-q').addEventListener('input', narrow);
$('f-vacant').addEventListener('change', narrow);
$('f-q').addEventListener('keydown', (e) => { if (e.key === 'Enter') e.preventDefault(); });
for (const event of ['mouseover', 'focusin']) list.addEventListener(event, (e) => point(subjects.byCode.get(e.target.closest('li')?.querySelector('input')?.value)));
for (const event of ['mouseleave', 'focusout']) list.addEventListener(event, () => point(null));

/** Where the line under the pointer lies: names alone don't tell two banks of one river apart. */
function point(one) {
  $('hover').textContent = one ? `${one.name}　${one.holder || words.vacant}` : '';
  if (subjects.pointed === (one || null)) return;
  subjects.pointed = one || null;
  board.request('over');
}

let boxedAt = -1000;
map.on('click', (e) => {
  $('say').hidden = true;
  if (performance.now() - boxedAt < 400) return; // the browser's click at the end of a box is none on a subject
  const one = subjects.hit(board.frame.x(e.latlng.lng), board.frame.y(e.latlng.lat), board.view);
  if (!one) return;
  choose(one);
  tell();
});
map.on('mousemove', (e) => {
  const one = board.view && subjects.hit(board.frame.x(e.latlng.lng), board.frame.y(e.latlng.lat), board.view);
  $('hover').textContent = one ? `${one.name}　${one.holder || words.vacant}` : '';
  map.getContainer().classList.toggle('over-one', !!one);
});

// boxing: the tool, or Shift while dragging
const place = map.getContainer();
let boxing = null;
const armed = () => $('box-tool').getAttribute('aria-pressed') === 'true';
function arm(on) {
  $('box-tool').setAttribute('aria-pressed', String(on));
  map.dragging[on ? 'disable' : 'enable']();
  place.classList.toggle('boxing', on);
}
$('box-tool').addEventListener('click', () => arm(!armed()));
const at = (e) => { const r = place.getBoundingClientRect(); return window.L.point(e.clientX - r.left, e.clientY - r.top); };
place.addEventListener('pointerdown', (e) => {
  if (e.button !== 0 || !(armed() || e.shiftKey)) return;
  boxing = { from: at(e), rubber: document.createElementNS('http://www.w3.org/2000/svg', 'svg') };
  boxing.rubber.classList.add('rubber');
  boxing.rubber.append(document.createElementNS('http://www.w3.org/2000/svg', 'rect'));
  place.append(boxing.rubber);
  map.dragging.disable();
  place.setPointerCapture(e.pointerId);
  e.preventDefault();
  e.stopPropagation();
}, { capture: true });
place.addEventListener('pointermove', (e) => {
  if (!boxing) return;
  const to = at(e);
  const rect = boxing.rubber.firstChild;
  rect.setAttribute('x', Math.min(boxing.from.x, to.x)); rect.setAttribute('y', Math.min(boxing.from.y, to.y));
  rect.setAttribute('width', Math.abs(to.x - boxing.from.x)); rect.setAttribute('height', Math.abs(to.y - boxing.from.y));
});
function drop(e) {
  if (!boxing) return;
  const { from, rubber } = boxing;
  const to = at(e);
  boxing = null;
  rubber.remove();
  if (!armed()) map.dragging.enable();
  if (Math.abs(to.x - from.x) < 5 && Math.abs(to.y - from.y) < 5) return;
  const [a, b] = [map.containerPointToLatLng(from), map.containerPointToLatLng(to)];
  const { frame } = board;
  const box = [frame.x(Math.min(a.lng, b.lng)), frame.y(Math.min(a.lat, b.lat)), frame.x(Math.max(a.lng, b.lng)), frame.y(Math.max(a.lat, b.lat))];
  for (const one of subjects.within(box)) if (one.mine) choose(one, true);
  tell();
  arm(false);
  boxedAt = performance.now();
}
place.addEventListener('pointerup', drop);
place.addEventListener('pointercancel', drop);
document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && armed()) arm(false); });

// another role, kind or day is another list
for (const field of form.querySelectorAll('[data-again]')) {
  field.addEventListener('change', () => {
    const given = new URLSearchParams(new FormData(form));
    for (const name of ['csrf_token', 'step']) given.delete(name);
    for (const [name, value] of [...given]) if (!value) given.delete(name);
    window.location.assign(`${form.getAttribute('action')}?${given}`);
  });
}
$('z-in').addEventListener('click', () => map.zoomIn(0.5));
$('z-out').addEventListener('click', () => map.zoomOut(0.5));
$('z-fit').addEventListener('click', () => map.fitBounds([[south, west], [north, east]], { padding: [10, 10] }));
new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(place);
subjects.ready.push(() => {
  narrow();
  if (!subjects.list.length) return; // units stand in no place: the page's own counts are right
  const own = subjects.list.filter((one) => one.mine);
  $('n-vacant').textContent = own.filter((one) => !one.holder).length;
  $('n-held').textContent = own.filter((one) => one.holder).length;
  $('n-others').textContent = subjects.list.length - own.length;
  const first = subjects.list.filter((one) => subjects.chosen.has(one.code));
  if (first.length) {
    const b = first.reduce((sum, one) => [Math.min(sum[0], one.box[0]), Math.min(sum[1], one.box[1]), Math.max(sum[2], one.box[2]), Math.max(sum[3], one.box[3])], [Infinity, Infinity, -Infinity, -Infinity]);
    const { frame } = board;
    map.fitBounds([[frame.lat(b[1]), frame.lon(b[0])], [frame.lat(b[3]), frame.lon(b[2])]], { animate: false, padding: [90, 90], maxZoom: 17 });
  }
});
narrow();
tell();
grids.load();
subjects.load();
board.request('all');
window.steward.board = board;
window.steward.parts = { ground, grids, subjects };
