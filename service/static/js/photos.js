// Photos of a record without leaving the page: what was chosen is shown, sent, and the section comes back renewed.
function chosenOf(form) {
  return [...form.querySelectorAll('input[type="file"]')].map((one) => one.files[0]).find(Boolean);
}

function say(form, text) {
  const help = form.querySelector('#photo-help');
  help.className = 'bad';
  help.setAttribute('role', 'alert');
  help.textContent = text;
  form.querySelector('.field').classList.add('wrong');
}

function tooLarge(form, file) {
  return Boolean(file) && file.size > Number(form.dataset.most) * 1024 * 1024;
}

document.addEventListener('change', (e) => {
  const form = e.target.closest('form[data-photos]');
  if (!form || e.target.type !== 'file') return;
  const [file] = e.target.files;
  for (const other of form.querySelectorAll('input[type="file"]')) if (other !== e.target && file) other.value = '';
  const place = form.querySelector('.chosen');
  for (const old of place.querySelectorAll('img')) URL.revokeObjectURL(old.src);
  place.replaceChildren();
  if (!file) return;
  form.querySelector('.field').classList.remove('wrong');
  form.querySelector('#photo-help.bad')?.replaceChildren();
  if (tooLarge(form, file)) { say(form, form.dataset.tooLarge); return; }
  place.append(Object.assign(document.createElement('img'), { src: URL.createObjectURL(file), alt: '' }), file.name);
});

document.addEventListener('submit', async (e) => {
  const form = e.target.closest('form[data-photos]');
  if (!form) return;
  e.preventDefault();
  const section = form.closest('.photos');
  if (section.dataset.busy) return;
  if (tooLarge(form, chosenOf(form))) { say(form, form.dataset.tooLarge); return; }
  const button = form.querySelector('[type="submit"]');
  const word = button.textContent;
  section.dataset.busy = '1';
  if (form.dataset.busy) button.textContent = form.dataset.busy;
  try {
    const answer = await fetch(form.action, { method: 'POST', body: new FormData(form), headers: { 'X-Requested-With': 'fetch' }, credentials: 'same-origin' });
    if (answer.headers.get('X-Fragment') !== 'photos') { window.location.reload(); return; } // signed out, or gone: the page says so
    const fresh = document.createElement('template');
    fresh.innerHTML = await answer.text(); // escaped by the server; the policy runs no script in it
    section.replaceWith(fresh.content.querySelector('.photos'));
    document.querySelector('#photos .bad')?.scrollIntoView({ block: 'nearest' });
  } catch {
    delete section.dataset.busy;
    button.textContent = word;
    if (form.dataset.lost) say(form, form.dataset.lost);
  }
});
