// Shows a number in the place of its mask; the server writes down who looked. On a phone it is dialled at once.
export async function reveal(form) {
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: 'POST', body: new FormData(form), headers: { 'X-Requested-With': 'fetch', Accept: 'application/json' }, credentials: 'same-origin' });
    const told = await answer.json();
    if (!answer.ok) { button.textContent = told.detail || button.textContent; return; }
    const number = document.createElement('a');
    number.href = `tel:${told.phone.replace(/[^\d+]/g, '')}`;
    number.textContent = told.phone;
    if (form.dataset.reveal === 'call') number.className = button.className;
    else form.previousElementSibling.remove();
    form.replaceWith(number);
    number.focus();
    if (form.dataset.reveal === 'call' && window.matchMedia('(pointer: coarse)').matches) window.location.href = number.href;
  } catch {
    form.submit();
  }
}

/** Every button of a part of the page that asks for a number. */
export function reveals(place) {
  place.addEventListener('submit', (e) => {
    if (!e.target.matches('[data-reveal]')) return;
    e.preventDefault();
    reveal(e.target);
  });
}
