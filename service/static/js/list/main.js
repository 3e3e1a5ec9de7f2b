// A register's list: rows open beside it, keys move, ticks gather rows for one change. Without this script everything is links.
import { Beside } from '../detail/beside.js';
import { Rows } from './rows.js';
import { Ticks } from './ticks.js';
import { drawers } from './drawers.js';
import { listen } from './keys.js';

const main = document.getElementById('main');
const rows = new Rows(document.getElementById('rows'));
const beside = new Beside(main, document.getElementById('detail'), rows);
const ticks = new Ticks(document.getElementById('list'), document.getElementById('bulk'));
drawers();
listen({ rows, beside, ticks });
