// A list whose details are pages of their own: rows and keys lead there. Without this script everything is links.
import { Rows } from './rows.js';
import { drawers } from './drawers.js';
import { listen } from './keys.js';

class Pages {
  constructor(main, rows) {
    Object.assign(this, { main, rows });
    this.phone = window.matchMedia('(max-width: 767px)');
    rows.body?.addEventListener('click', (e) => {
      const row = e.target.closest('tr[data-url]');
      if (row && !e.target.closest('a') && window.getSelection().isCollapsed && !e.ctrlKey && !e.metaKey) this.open(row);
    });
    rows.chosen?.scrollIntoView({ block: 'nearest' });
  }

  get shown() { return this.main.classList.contains('open'); }

  open(row) { window.location.href = row.dataset.url; }

  soon(row) {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.open(row), 250);
  }

  close() { if (this.shown) window.location.href = this.main.dataset.list; }
}

const rows = new Rows(document.getElementById('rows'));
drawers();
listen({ rows, beside: new Pages(document.getElementById('main'), rows), ticks: {} });
