// A field that names a row of another register: the list below it follows what is typed.
const SOON_MS = 180;

export function suggest(input) {
  const list = input.list;
  let later = 0;
  let asking = null;
  let asked = null;
  const ask = async () => {
    const words = input.value.trim();
    if (words === asked) return;
    asked = words;
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(words)}`, { signal: asking.signal, headers: { 'X-Requested-With': 'fetch', Accept: 'application/json' }, credentials: 'same-origin' });
      if (!answer.ok) return;
      const { results } = await answer.json();
      list.replaceChildren(...results.map(({ value, label }) => Object.assign(document.createElement('option'), { value, label })));
    } catch { /* typing goes on without the list */ }
  };
  input.addEventListener('focus', ask);
  input.addEventListener('input', () => { clearTimeout(later); later = setTimeout(ask, SOON_MS); });
}
