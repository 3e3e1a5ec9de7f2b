// Shows the data as they lie by the coordinate system that is chosen.

const other = document.querySelector('input[name=other]');

function show(crs) {
  for (const part of document.querySelectorAll('[data-crs]')) part.toggleAttribute('hidden', part.dataset.crs !== crs);
}

for (const choice of document.querySelectorAll('input[type=radio][name=crs]')) {
  choice.addEventListener('change', () => {
    if (choice.value === 'other') other.focus();
    else show(choice.value);
  });
}
other?.addEventListener('input', () => {
  document.querySelector('input[name=crs][value=other]').checked = true;
});
