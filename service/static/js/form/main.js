// A register's form: what was typed is kept until it is saved, references are suggested, the place is put on the map.
import { Place } from './place.js';
import { suggest } from './suggest.js';

for (const input of document.querySelectorAll('[data-suggest]')) suggest(input);
const board = document.getElementById('place-map');
if (board && window.L) new Place(board, document.getElementById('f-points'), window.L);
document.getElementById('faults')?.focus();

const sheet = document.getElementById('sheet');
if (sheet) {
  const told = () => new URLSearchParams(new FormData(sheet)).toString();
  const first = told();
  let leaving = false;
  sheet.addEventListener('submit', () => { leaving = true; });
  window.addEventListener('beforeunload', (e) => { if (!leaving && told() !== first) e.preventDefault(); });
}
