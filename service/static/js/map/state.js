// All of the view: what is chosen, coloured, shown and filtered. The address carries it, so that a link reproduces it.
const PAINTS = ['com', 'leader', 'rate', 'duty'];
const OPEN = ['late', 'way', 'chk', 'rep'];
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const OFF_AT_FIRST = ['density', 'faults', 'audit', 'ch-street', 'ch-building', 'ch-reach', 'ch-place'];

const pair = (text) => {
  const numbers = (text || '').split(',').map(Number);
  return numbers.length === 2 && text && numbers.every(Number.isFinite) && Math.abs(numbers[0]) <= 180 && Math.abs(numbers[1]) <= 85 ? numbers : null;
};
const day = (text) => (DAY.test(text || '') ? text : '');
const list = (text) => (text || '').split(',').filter(Boolean);

/** The day `n` days after an ISO day. */
export function addDays(iso, n) {
  const at = new Date(`${iso}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + n);
  return at.toISOString().slice(0, 10);
}

/** First and last day of a preset period ending `today`. */
export function periodOf(preset, today) {
  if (preset === 'year') return [`${today.slice(0, 4)}-01-01`, today];
  return preset ? [addDays(today, 1 - Number(preset)), today] : ['', ''];
}

export class State {
  /** @param today the office's day, ISO */
  constructor(query, today) {
    const q = new URLSearchParams(query);
    this.today = today;
    this.on = day(q.get('on')) || today;
    this.at = pair(q.get('at'));
    this.zoom = Number(q.get('z')) > 0 ? Number(q.get('z')) : null;
    this.point = pair(q.get('p'));
    this.grid = null;
    this.paint = PAINTS.includes(q.get('paint')) ? q.get('paint') : 'com';
    this.hidden = new Set([...OFF_AT_FIRST.filter((layer) => !list(q.get('show')).includes(layer)), ...list(q.get('hide'))]);
    this.base = q.get('base') || '';
    const preset = ['7', '30', '90', 'year'].includes(q.get('period')) ? q.get('period') : '';
    this.preset = preset;
    [this.from, this.to] = preset ? periodOf(preset, today) : [day(q.get('from')), day(q.get('to'))];
    const status = list(q.get('status')).filter((s) => [...OPEN, 'done'].includes(s));
    this.status = status.length ? status : [...OPEN];
    this.category = q.get('category') || '';
    this.community = q.get('community') || '';
    this.told = [];
  }

  /** Changes some of it and tells who listens: fn(changed keys). */
  set(changes) {
    const moved = Object.keys(changes).filter((key) => JSON.stringify(this[key]) !== JSON.stringify(changes[key]));
    if (!moved.length) return;
    Object.assign(this, changes);
    for (const fn of this.told) fn(new Set(moved));
    this.write();
  }

  toggle(layer, shown) {
    if (shown) this.hidden.delete(layer); else this.hidden.add(layer);
    for (const fn of this.told) fn(new Set(['hidden']));
    this.write();
  }

  get openOnly() { return this.status.length === 4 && !this.status.includes('done'); }

  get filters() {
    return (this.from || this.to ? 1 : 0) + (this.openOnly ? 0 : 1) + (this.category ? 1 : 0) + (this.community ? 1 : 0);
  }

  /** The part of a question that filters incidents, beginning with '&' or empty. */
  filterQuery() {
    const q = new URLSearchParams();
    if (this.from) q.set('from', this.from);
    if (this.to) q.set('to', this.to);
    if (!this.openOnly) q.set('status', this.status.join(','));
    if (this.category) q.set('category', this.category);
    if (this.community) q.set('community', this.community);
    const text = q.toString();
    return text && `&${text}`;
  }

  query() {
    const q = new URLSearchParams();
    if (this.at) q.set('at', this.at.map((v) => v.toFixed(6)).join(','));
    if (this.zoom !== null) q.set('z', String(Number(this.zoom.toFixed(2))));
    if (this.point) q.set('p', this.point.map((v) => v.toFixed(6)).join(','));
    if (this.paint !== 'com') q.set('paint', this.paint);
    const hide = [...this.hidden].filter((layer) => !OFF_AT_FIRST.includes(layer));
    const show = OFF_AT_FIRST.filter((layer) => !this.hidden.has(layer));
    if (hide.length) q.set('hide', hide.join(','));
    if (show.length) q.set('show', show.join(','));
    if (this.preset) q.set('period', this.preset);
    else { if (this.from) q.set('from', this.from); if (this.to) q.set('to', this.to); }
    if (!this.openOnly) q.set('status', this.status.join(','));
    if (this.category) q.set('category', this.category);
    if (this.community) q.set('community', this.community);
    if (this.on !== this.today) q.set('on', this.on);
    if (this.base && this.base !== 'none') q.set('base', this.base);
    return q.toString().replaceAll('%2C', ',');
  }

  /** Puts the present view into the address, at most five times a second. */
  write() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      this.later = 0;
      const text = this.query();
      window.history.replaceState(null, '', window.location.pathname + (text ? `?${text}` : ''));
    }, 200);
  }
}
