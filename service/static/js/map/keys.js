// Keyboard: Esc closes, Enter asks at the middle of the map, arrows and + − move it (Leaflet's own).
const typing = (el) => /^(INPUT|SELECT|TEXTAREA)$/.test(el.tagName) || el.isContentEditable;

export function listen({ map, panel, filters, days }) {
  const box = map.getContainer();
  document.addEventListener('keydown', (e) => {
    if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'Escape') {
      if (filters && !filters.form.hidden) filters.open(false);
      else if (!days.form.hidden) days.open(false);
      else if (document.querySelector('.menu[open]')) document.querySelector('.menu[open]').open = false;
      else { panel.dismiss(); if (!typing(e.target)) box.focus({ preventScroll: true }); }
    }
  });
  box.addEventListener('keydown', (e) => {
    box.classList.add('by-key');
    if (e.key !== 'Enter') return;
    e.preventDefault();
    const c = map.getCenter();
    panel.ask(c.lng, c.lat, { focus: true });
  });
  box.addEventListener('pointerdown', () => box.classList.remove('by-key'));
  document.addEventListener('click', (e) => {
    const menu = document.querySelector('.menu[open]');
    if (menu && !menu.contains(e.target)) menu.open = false;
  });
}
