// The answer panel: asks for a point, shows the fragment; on phones a sheet of three heights.
import { Calling } from './calling.js';
import { LONG_MS, Latest, bones } from './fetching.js';
import { icon } from './icons.js';
import { say } from './words.js';

const HEIGHTS = ['peek', 'half', 'full'];
const $ = (id) => document.getElementById(id);

export class Panel {
  constructor(board, state, grids, tell) {
    Object.assign(this, { board, state, grids, tell });
    this.asking = new Latest('answer');
    this.root = $('panel');
    this.place = $('answer');
    this.idle = $('idle');
    this.phone = window.matchMedia('(max-width: 767px)');
    this.close = Object.assign(document.createElement('button'), { type: 'button', className: 'act icon shut', hidden: true });
    this.close.setAttribute('aria-label', say('close'));
    this.close.append(icon('close'));
    this.close.addEventListener('click', () => this.dismiss());
    this.root.append(this.close);
    this.place.addEventListener('click', (e) => this.clicked(e));
    this.calling = new Calling(this.place, tell);
    this.sheet();
  }

  /** Asks who answers at a point; `raise` lifts the sheet on a phone, `keep` leaves the reader where they are in it. */
  async ask(lon, lat, { raise = true, focus = false, keep = false } = {}) {
    const { frame } = this.board;
    const grid = this.grids.gridAt(frame.x(lon), frame.y(lat));
    this.state.set({ point: [lon, lat], grid: grid ? grid.code : null });
    this.board.request('over');
    if (raise && this.phone.matches) {
      if (this.root.dataset.height === 'peek') this.setHeight('half');
      // The sheet is still rising: look where it stands once it has come to rest.
      const risen = this.root.getAnimations().map((one) => one.finished);
      Promise.allSettled(risen).then(() => this.uncover(lon, lat));
    }
    this.root.dataset.busy = '1';
    clearTimeout(this.long);
    if (!keep) this.long = setTimeout(() => this.wait(), LONG_MS);
    const html = await this.asking.ask(`/map/answer?lon=${lon.toFixed(6)}&lat=${lat.toFixed(6)}&on=${this.state.on}`, { text: true });
    if (this.asking.running) return; // a newer question is under way
    clearTimeout(this.long);
    delete this.root.dataset.busy;
    if (html === null) {
      if (this.place.querySelector('.bones')) this.dismiss();
      return;
    }
    const read = keep ? this.place.firstElementChild?.scrollTop || 0 : 0;
    const held = keep && this.place.contains(document.activeElement);
    const open = this.place.querySelector('details')?.open;
    this.place.innerHTML = html; // escaped by the server; the policy runs no script and no style in it
    this.place.hidden = false;
    this.idle.hidden = true;
    this.close.hidden = false;
    const answered = this.place.firstElementChild;
    if (open) this.place.querySelector('details')?.setAttribute('open', '');
    if (answered) {
      answered.scrollTop = read;
      if (answered.dataset.grid && answered.dataset.grid !== this.state.grid) this.state.set({ grid: answered.dataset.grid });
      if (focus || held) answered.focus({ preventScroll: true });
    }
    this.board.request('over');
  }

  /** What is shown while an answer takes longer: not the person of another place. */
  wait() {
    const waiting = bones(6);
    waiting.classList.add('scroll');
    this.place.replaceChildren(waiting);
    this.place.hidden = false;
    this.idle.hidden = true;
    this.close.hidden = false;
  }

  /** Moves the map so that the sheet does not hide the point. */
  uncover(lon, lat) {
    const { map } = this.board;
    if (!this.phone.matches) return;
    const box = map.getContainer().getBoundingClientRect();
    const free = this.root.getBoundingClientRect().top - box.top;
    const { y } = map.latLngToContainerPoint([lat, lon]);
    if (free > 120 && (y > free - 40 || y < 40)) map.panBy([0, y - free / 2]);
  }

  /** Reads the present answer again, because something changed. */
  refresh() {
    if (this.state.point && !this.place.hidden) this.ask(...this.state.point, { raise: false, keep: true });
  }

  dismiss() {
    if (this.place.hidden) return;
    this.asking.stop();
    clearTimeout(this.long);
    delete this.root.dataset.busy;
    this.place.hidden = true;
    this.place.replaceChildren();
    this.idle.hidden = false;
    this.close.hidden = true;
    this.state.set({ point: null, grid: null });
    if (this.phone.matches) this.setHeight('peek');
    this.board.request('over');
  }

  clicked(e) {
    const go = e.target.closest('[data-go]');
    if (go) {
      const grid = this.grids.byCode.get(go.dataset.go);
      if (grid) this.showGrid(grid);
    }
    if (e.target.closest('[data-copy]')) this.copy();
  }

  showGrid(grid) {
    const { frame, map } = this.board;
    const [x, y] = grid.at;
    map.setView([frame.lat(y), frame.lon(x)], Math.max(map.getZoom(), 16));
    this.ask(frame.lon(x), frame.lat(y));
  }

  async copy() {
    const link = `${window.location.origin}${window.location.pathname}?${this.state.query()}`;
    try {
      await navigator.clipboard.writeText(link);
      this.tell(say('copied'));
    } catch {
      this.tell(say('copy_this'));
    }
  }

  setHeight(height) {
    this.root.dataset.height = height;
    this.root.style.height = '';
    $('grip').setAttribute('aria-expanded', String(height !== 'peek'));
    this.board.request('over');
  }

  /** The grip: a tap goes to the next height, a drag follows the finger and settles at the nearest. */
  sheet() {
    const grip = $('grip');
    let from = null;
    grip.addEventListener('pointerdown', (e) => {
      from = { y: e.clientY, height: this.root.getBoundingClientRect().height, moved: false };
      grip.setPointerCapture(e.pointerId);
    });
    grip.addEventListener('pointermove', (e) => {
      if (!from) return;
      const by = from.y - e.clientY;
      if (Math.abs(by) > 6) from.moved = true;
      if (from.moved) this.root.style.height = `${Math.max(80, from.height + by)}px`;
    });
    const settle = () => {
      if (!from) return;
      const { moved } = from;
      from = null;
      this.dragged = moved;
      if (!moved) return;
      const share = this.root.getBoundingClientRect().height / this.root.parentElement.getBoundingClientRect().height;
      this.setHeight(share < 0.35 ? 'peek' : share < 0.78 ? 'half' : 'full');
    };
    grip.addEventListener('pointerup', settle);
    grip.addEventListener('pointercancel', settle);
    grip.addEventListener('click', () => {
      if (this.dragged) { this.dragged = false; return; }
      this.setHeight(HEIGHTS[(HEIGHTS.indexOf(this.root.dataset.height) + 1) % 3]);
    });
  }
}
