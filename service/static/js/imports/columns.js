// The first values of whichever column is chosen for a field, and the box for a value that every row gets.

const examples = JSON.parse(document.getElementById('examples').textContent);

for (const row of document.querySelectorAll('[data-field]')) {
  const choice = row.querySelector('select');
  const fixed = row.querySelector('.fixed');
  const shown = row.querySelector('.ex');
  choice.addEventListener('change', () => {
    fixed.hidden = choice.value !== '=';
    if (!fixed.hidden) fixed.focus();
    shown.replaceChildren(
      ...(examples[choice.value] ?? []).map((value) => {
        const mark = document.createElement('i');
        mark.textContent = value;
        return mark;
      }),
    );
  });
}
