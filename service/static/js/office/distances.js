// The share of places that a distance touches, counted by the server while the number is typed.
const FIELDS = ['border_m', 'frontage_m', 'street_m', 'place_m', 'here_m'];
const WAIT = 350;

export function watchDistances() {
  const box = document.getElementById('distances-effect');
  const fields = FIELDS.map((name) => document.getElementById(`f-${name}`));
  if (!box?.querySelector('[data-effect]') || fields.some((field) => !field)) return;
  let later = 0;
  let asked = null;
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const query = new URLSearchParams(fields.map((field) => [field.name, field.value]));
    try {
      const answer = await fetch(`/admin/distances?${query}`, { headers: { Accept: 'application/json' }, signal: asked.signal });
      const { effect } = answer.ok ? await answer.json() : {};
      if (effect) show(box, effect);
    } catch { /* the next key asks again */ }
  };
  if ('typed' in box.dataset) ask();
  for (const field of fields) field.addEventListener('input', () => { clearTimeout(later); later = setTimeout(ask, WAIT); });
}

function show(box, effect) {
  for (const [name, value] of Object.entries(effect)) {
    const told = box.querySelector(`[data-effect="${name}"]`);
    if (told) told.textContent = value;
    const gauge = box.querySelector(`[data-gauge="${name}"]`);
    if (gauge) gauge.value = value;
  }
}
