// The division changed by hand: a grid goes to another officer; loads, spread and what falls apart are told at once.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($('division-data').textContent);
const form = $('division');
const patches = [...document.querySelectorAll('#proposed .patch')];
const rows = [...form.querySelectorAll('tr[data-g]')];
const first = [...data.groups];
const groups = [...data.groups];
const english = document.documentElement.lang.startsWith('en');
const colour = (g) => `g${data.colours[g]}`;
const total = data.load.reduce((sum, value) => sum + value, 0);

const loads = () => groups.reduce((sums, g, i) => { sums[g] += data.load[i]; return sums; }, new Array(data.k).fill(0));

/** Whether the grids of a group hang together. */
function whole(group) {
  const mine = new Set(groups.flatMap((g, i) => (g === group ? [i] : [])));
  if (!mine.size) return true;
  const todo = [mine.values().next().value];
  mine.delete(todo[0]);
  while (todo.length) for (const other of data.beside[todo.pop()]) if (mine.delete(other)) todo.push(other);
  return mine.size === 0;
}

function gini(values) {
  const ranked = [...values].sort((a, b) => a - b);
  const n = ranked.length;
  const sum = ranked.reduce((all, value, i) => all + (2 * (i + 1) - n - 1) * value, 0);
  return total ? sum / (n * total) : 0;
}

function chip(i) {
  const span = document.createElement('span');
  span.textContent = $('unit').options[i].textContent;
  if (data.today[i] !== groups[i]) span.className = 'new';
  return span;
}

function show() {
  const sums = loads();
  const mean = total / data.k;
  const [heaviest, lightest] = [Math.max(...sums), Math.min(...sums)];
  const told = $('after').querySelectorAll('dd b');
  told[0].textContent = (heaviest / mean).toFixed(2);
  told[1].textContent = lightest > 0 ? `${(heaviest / lightest).toFixed(1)} ${english ? '×' : '倍'}` : '—';
  told[2].textContent = gini(sums).toFixed(3);
  $('moved-n').textContent = groups.filter((g, i) => data.today[i] !== g).length;
  patches.forEach((patch, i) => {
    patch.querySelector('path').setAttribute('class', colour(groups[i]));
    const number = patch.querySelector('text:not(.code)');
    if (number) number.textContent = groups[i] + 1;
    patch.classList.toggle('moved', data.today[i] !== groups[i]);
  });
  for (const input of form.querySelectorAll('input[data-g]')) input.value = groups[Number(input.dataset.g)];
  const apart = [];
  rows.forEach((row, g) => {
    row.querySelector('.list').replaceChildren(...groups.flatMap((of, i) => (of === g ? [chip(i)] : [])));
    row.querySelector('.load').textContent = Math.round(sums[g]);
    if (!whole(g)) apart.push(g + 1);
  });
  $('apart').hidden = !apart.length;
  $('apart').querySelector('span').textContent = english ? `Not connected: ${apart.join(', ')}` : `第 ${apart.join('、')} 组的网格不相连，走动不便；仍可存下。`;
  $('reset').hidden = groups.every((g, i) => g === first[i]);
}

function pick(i) {
  patches.forEach((patch, at) => patch.classList.toggle('picked', at === i));
  $('unit').value = String(i);
  $('to').value = String(groups[i]);
}

patches.forEach((patch, i) => patch.addEventListener('click', () => pick(i)));
$('unit').addEventListener('change', () => pick(Number($('unit').value)));
$('to').addEventListener('change', () => {
  const i = Number($('unit').value);
  groups[i] = Number($('to').value);
  show();
  pick(i);
});
$('reset').addEventListener('click', () => { first.forEach((g, i) => { groups[i] = g; }); show(); pick(Number($('unit').value)); });
pick(0);
