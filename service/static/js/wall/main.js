// The page of responsibility maps: how many are ticked, the picture of the first, and how far what is being made has come.
const form = document.getElementById('order');
const every = document.getElementById('every');
const boxes = [...form.querySelectorAll('input[name="code"]')];
const count = document.getElementById('count');
const picture = document.getElementById('preview');
const busy = document.getElementById('busy');
const narrow = document.getElementById('narrow');
document.documentElement.classList.add('js');

const ticked = () => (every?.checked ? boxes : boxes.filter((box) => box.checked));

function tell() {
  const n = ticked().length;
  count.textContent = n;
  for (const button of form.querySelectorAll('.ends button')) button.disabled = n === 0;
}

let later = 0;
/** Draws the first of what is ticked anew, once nothing has changed for a moment. */
function redraw() {
  const first = ticked()[0];
  if (!picture || !first) return;
  const given = new FormData(form);
  const asked = new URLSearchParams({ what: given.get('what'), code: first.value, on: given.get('on'), paper: given.get('paper'), names: given.get('names') });
  const address = `${form.dataset.preview}?${asked}`;
  if (picture.getAttribute('src') === address) return;
  clearTimeout(later);
  later = setTimeout(() => {
    picture.classList.add('stale');
    busy.hidden = false;
    picture.src = address;
  }, 250);
}
for (const event of ['load', 'error']) picture?.addEventListener(event, () => { picture.classList.remove('stale'); busy.hidden = true; });

form.addEventListener('change', (event) => {
  if (event.target.name === 'on') { // another day has other grids and other people
    const given = new FormData(form);
    if (!given.get('on')) return;
    const asked = new URLSearchParams({ what: given.get('what'), on: given.get('on'), paper: given.get('paper'), names: given.get('names') });
    for (const box of every?.checked ? [] : ticked()) asked.append('code', box.value);
    window.location.assign(`${form.dataset.page}?${asked}`);
    return;
  }
  if (event.target.name === 'code' && every?.checked) every.checked = false;
  tell();
  redraw();
});
tell();

narrow?.addEventListener('input', () => {
  const words = narrow.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  for (const box of boxes) {
    const line = box.closest('label');
    line.hidden = !words.every((word) => line.dataset.told.toLowerCase().includes(word));
  }
  for (const head of form.querySelectorAll('.names h3')) {
    let line = head.nextElementSibling;
    while (line && line.tagName === 'LABEL' && line.hidden) line = line.nextElementSibling;
    head.hidden = !line || line.tagName !== 'LABEL';
  }
});
narrow?.addEventListener('keydown', (event) => { if (event.key === 'Enter') event.preventDefault(); });

// what is being made
async function ask(line) {
  try {
    const answer = await fetch(line.dataset.job, { headers: { Accept: 'application/json' } });
    if (answer.ok) {
      const job = await answer.json();
      if (job.state === 'done' || job.state === 'failed') { window.location.hash = 'made'; window.location.reload(); return; }
      if (job.message) line.querySelector('[data-told]').textContent = job.message;
      const bar = line.querySelector('progress');
      if (job.total > 0) { bar.max = job.total; bar.value = job.done; }
    } else if (answer.status === 401 || answer.status === 404) { window.location.reload(); return; }
  } catch {
    // the network is away for a moment; the job goes on without us
  }
  setTimeout(ask, document.hidden ? 3000 : 500, line);
}
for (const line of document.querySelectorAll('[data-job]')) setTimeout(ask, 300, line);
