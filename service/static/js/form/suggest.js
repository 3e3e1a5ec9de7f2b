// A field that names a row of another register: the list below it follows what is typed, and the kind chosen beside it.
const SOON_MS = 180;

export function suggest(input) {
  const list = input.list;
  const beside = input.dataset.suggestWith ? document.getElementById(input.dataset.suggestWith) : null;
  let later = 0;
  let asking = null;
  let asked = null;
  const ask = async () => {
    const words = input.value.trim();
    const kind = beside ? `&kind=${encodeURIComponent(beside.value)}` : '';
    if (words + kind === asked) return;
    asked = words + kind;
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(words)}${kind}`, { signal: asking.signal, headers: { 'X-Requested-With': 'fetch', Accept: 'application/json' }, credentials: 'same-origin' });
      if (!answer.ok) return;
      const { results } = await answer.json();
      list.replaceChildren(...results.map(({ value, label }) => Object.assign(document.createElement('option'), { value, label })));
    } catch { /* typing goes on without the list */ }
  };
  input.addEventListener('focus', ask);
  beside?.addEventListener('change', () => { input.value = ''; ask(); });
  input.addEventListener('input', () => { clearTimeout(later); later = setTimeout(ask, SOON_MS); });
}
