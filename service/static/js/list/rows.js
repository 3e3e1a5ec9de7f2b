// The rows of the table: which one is chosen, and which one the keys stand on.
export class Rows {
  constructor(body) {
    this.body = body;
    this.all = body ? [...body.querySelectorAll('tr')] : [];
  }

  get at() { return this.all.find((row) => row === document.activeElement) || this.chosen || null; }

  get chosen() { return this.all.find((row) => row.getAttribute('aria-selected') === 'true') || null; }

  row(code) { return this.all.find((row) => row.dataset.code === code) || null; }

  choose(row) {
    for (const one of this.all) {
      if (one === row) one.setAttribute('aria-selected', 'true');
      else one.removeAttribute('aria-selected');
    }
    if (row) this.stand(row, false);
  }

  /** The one row that Tab reaches; the arrows move it. */
  stand(row, focus = true) {
    for (const one of this.all) one.tabIndex = one === row ? 0 : -1;
    if (focus) row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }

  /** The row `by` places on; the first one when none is stood on. */
  move(by) {
    const now = this.all.indexOf(this.at);
    const next = now < 0 ? 0 : Math.min(this.all.length - 1, Math.max(0, now + by));
    const row = this.all[next];
    if (row) this.stand(row);
    return row || null;
  }
}
