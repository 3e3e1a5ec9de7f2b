// Keyboard: arrows move, Enter opens, Esc closes, x ticks, / searches, g then a letter goes to another page.
import { shutDrawer } from './drawers.js';

const GO = { m: '/map', f: '/frontages', l: '/places', s: '/streets', g: '/grids', c: '/communities', i: '/incidents', p: '/people', o: '/organisations', d: '/imports', a: '/admin', r: '/duties', y: '/my' };
const typing = (el) => /^(SELECT|TEXTAREA)$/.test(el.tagName) || (el.tagName === 'INPUT' && el.type !== 'checkbox') || el.isContentEditable;

export function listen({ rows, beside, ticks }) {
  let going = 0;
  document.addEventListener('keydown', (e) => {
    if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'Escape') {
      if (shutDrawer()) return;
      if (typing(e.target)) e.target.blur();
      else beside.close();
      return;
    }
    if (typing(e.target) || e.target.closest?.('details[open] .box')) return;
    if (Date.now() - going < 1500 && GO[e.key]) { e.preventDefault(); going = 0; window.location.href = GO[e.key]; return; }
    going = 0;
    if (e.key === '/') { e.preventDefault(); const seek = document.getElementById('seek-input') || document.getElementById('list-q'); seek?.focus(); seek?.select(); }
    else if (e.key === 'g') going = Date.now();
    else if (e.key === 'x') ticks.flip?.(rows.at);
    else if ((e.key === 'ArrowDown' || e.key === 'ArrowUp') && !e.target.closest?.('#detail')) {
      const row = rows.move(e.key === 'ArrowDown' ? 1 : -1);
      if (!row) return;
      e.preventDefault();
      if (beside.shown && !beside.phone.matches) beside.soon(row);
    } else if (e.key === 'Enter' && e.target.closest?.('tr[data-url]') && e.target.tagName !== 'A') {
      e.preventDefault();
      beside.open(e.target.closest('tr'), { focus: true });
    }
  });
}
