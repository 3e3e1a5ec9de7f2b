// Name, hotline and logo as the bar and the public will see them.
const PICTURES = ['image/png', 'image/jpeg', 'image/webp'];

export function watchIdentity() {
  for (const name of ['name', 'hotline']) {
    const shown = document.querySelector(`[data-live="${name}"]`);
    document.getElementById(`f-${name}`)?.addEventListener('input', (event) => { shown.textContent = event.target.value || '—'; });
  }
  const brand = document.querySelector('#likebar .brand');
  document.getElementById('f-logo')?.addEventListener('change', (event) => {
    const [file] = event.target.files;
    if (!file || !PICTURES.includes(file.type)) return;
    const picture = document.createElement('img');
    picture.className = 'logo';
    picture.alt = '';
    picture.src = URL.createObjectURL(file);
    brand.firstElementChild.replaceWith(picture);
  });
}
