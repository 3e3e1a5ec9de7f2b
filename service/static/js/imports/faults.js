// Where a file doesn't tile: a row of the list shows its place, a place on the map shows its row.

const LEAST_PX = 9; // a fault that is smaller on the screen has a dot instead
const CLOSEST = 4000; // times closer than the whole

class Faults {
  constructor(part) {
    this.svg = part.querySelector('svg.map');
    const { x, y, width, height } = this.svg.viewBox.baseVal;
    this.whole = { x, y, width, height };
    this.view = { ...this.whole };
    this.rows = new Map([...part.querySelectorAll('button[data-n]')].map((row) => [row.dataset.n, row]));
    this.spots = new Map([...this.svg.querySelectorAll('g[data-n]')].map((spot) => [spot.dataset.n, spot]));
    this.scale = this.svg.querySelector('[data-scale]');
    for (const [n, row] of this.rows) row.addEventListener('click', () => this.choose(this.chosen === n ? null : n));
    for (const [n, spot] of this.spots) spot.addEventListener('click', () => this.choose(n, true));
    const tools = part.querySelector('.closer');
    tools.hidden = false;
    for (const tool of tools.querySelectorAll('[data-by]')) tool.addEventListener('click', () => this.zoom(Number(tool.dataset.by)));
    tools.querySelector('[data-all]').addEventListener('click', () => this.choose(null));
    part.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.chosen) this.choose(null);
    });
    this.drag();
    this.show(this.view);
  }

  choose(n, tell = false) {
    this.chosen = n;
    for (const [key, row] of this.rows) row.setAttribute('aria-pressed', key === n);
    for (const [key, spot] of this.spots) spot.classList.toggle('on', key === n);
    if (!n) return this.show(this.whole);
    const [x, y, width, height] = this.spots.get(n).dataset.box.split(' ').map(Number);
    this.show({ x, y, width, height });
    if (tell) this.rows.get(n).scrollIntoView({ block: 'nearest' });
    else if (innerWidth < 768) this.svg.scrollIntoView({ block: 'center' });
    return undefined;
  }

  zoom(by) {
    const { x, y, width, height } = this.view;
    const next = Math.min(this.whole.width, Math.max(this.whole.width / CLOSEST, width * by)) / width;
    this.show({ x: x + (width * (1 - next)) / 2, y: y + (height * (1 - next)) / 2, width: width * next, height: height * next });
  }

  show(box) {
    const { width, height } = this.whole;
    const times = Math.max(box.width / width, box.height / height);
    const view = { width: width * times, height: height * times };
    view.x = box.x + (box.width - view.width) / 2;
    view.y = box.y + (box.height - view.height) / 2;
    this.view = view;
    this.svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
    const px = this.px;
    for (const spot of this.spots.values()) {
      const { width: wide, height: high } = spot.firstElementChild.getBBox();
      spot.lastElementChild.toggleAttribute('hidden', Math.max(wide, high) * px >= LEAST_PX);
    }
    this.measure(times);
  }

  get px() { // of a unit
    return Math.min(this.svg.clientWidth / this.view.width, this.svg.clientHeight / this.view.height);
  }

  measure(times) {
    const unit = (Number(this.scale.dataset.m) / Number(this.scale.dataset.px)) * times; // metres of a unit as drawn
    const step = 10 ** Math.floor(Math.log10(unit * 200));
    const metres = [5, 2, 1].map((n) => n * step).find((m) => m <= unit * 200);
    const long = metres / unit;
    this.scale.querySelector('path').setAttribute('d', `M0 -6V0H${long}V-6`);
    this.scale.querySelector('text').textContent = metres >= 1000 ? `${metres / 1000} km` : metres >= 1 ? `${metres} m` : `${Math.round(metres * 100)} cm`;
    const { x, y, height } = this.view;
    this.scale.setAttribute('transform', `translate(${x + 20 * times} ${y + height - 18 * times}) scale(${times})`);
  }

  drag() {
    let from = null;
    this.svg.addEventListener('pointerdown', (event) => {
      if (event.pointerType === 'mouse' && !event.button) from = { x: event.clientX, y: event.clientY, view: this.view };
    });
    addEventListener('pointermove', (event) => {
      if (!from) return;
      const unit = 1 / this.px;
      this.show({ ...from.view, x: from.view.x - (event.clientX - from.x) * unit, y: from.view.y - (event.clientY - from.y) * unit });
    });
    addEventListener('pointerup', () => { from = null; });
    this.svg.addEventListener('wheel', (event) => {
      if (!event.ctrlKey && !this.chosen && this.view.width >= this.whole.width && event.deltaY > 0) return; // the page scrolls
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8);
    }, { passive: false });
  }
}

for (const part of document.querySelectorAll('[data-faults]')) new Faults(part);
