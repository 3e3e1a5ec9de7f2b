// On phones the panel is a sheet: a tap on its grip goes to the next height, a drag follows the finger.
import { byId } from './dom.js';

const HEIGHTS = ['peek', 'half', 'full'];

export class Sheet {
  constructor(moved) {
    this.root = byId('panel');
    this.moved = moved;
    const grip = byId('grip');
    let from = null;
    grip.addEventListener('pointerdown', (e) => { from = { y: e.clientY, height: this.root.getBoundingClientRect().height, moved: false }; grip.setPointerCapture(e.pointerId); });
    grip.addEventListener('pointermove', (e) => {
      if (!from) return;
      const by = from.y - e.clientY;
      if (Math.abs(by) > 6) from.moved = true;
      if (from.moved) this.root.style.height = `${Math.max(80, from.height + by)}px`;
    });
    const settle = () => {
      if (!from) return;
      const { moved: dragged } = from;
      from = null;
      this.dragged = dragged;
      if (!dragged) return;
      const share = this.root.getBoundingClientRect().height / this.root.parentElement.getBoundingClientRect().height;
      this.to(share < 0.3 ? 'peek' : share < 0.75 ? 'half' : 'full');
    };
    grip.addEventListener('pointerup', settle);
    grip.addEventListener('pointercancel', settle);
    grip.addEventListener('click', () => {
      if (this.dragged) { this.dragged = false; return; }
      this.to(HEIGHTS[(HEIGHTS.indexOf(this.root.dataset.height) + 1) % 3]);
    });
  }

  to(height) {
    this.root.dataset.height = height;
    this.root.style.height = '';
    byId('grip').setAttribute('aria-expanded', String(height !== 'peek'));
    this.moved();
  }
}
