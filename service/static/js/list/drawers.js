// Drop-downs: one open at a time, closed by a click elsewhere; empty filters stay out of the address.
export function drawers() {
  document.addEventListener('click', (e) => {
    for (const one of document.querySelectorAll('details.drawer[open], details.menu[open]')) if (!one.contains(e.target)) one.open = false;
  });
  for (const one of document.querySelectorAll('details.drawer')) {
    one.addEventListener('toggle', () => { if (one.open) one.querySelector('select, input:not([type="hidden"])')?.focus({ preventScroll: true }); });
  }
  for (const form of document.querySelectorAll('form[action]:not([method])')) {
    form.addEventListener('submit', () => {
      for (const field of form.elements) if (field.name && field.value === '') field.disabled = true;
      setTimeout(() => { for (const field of form.elements) field.disabled = false; }, 0);
    });
  }
}

/** Closes the open drop-down and gives its button the focus back; false when none was open. */
export function shutDrawer() {
  const open = document.querySelector('details.drawer[open], details.menu[open]');
  if (!open) return false;
  open.open = false;
  open.querySelector('summary').focus();
  return true;
}
