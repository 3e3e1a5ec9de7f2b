// The page of editions: begins a draft, takes a published edition back.
import { ask } from './api.js';
import { $ } from './dom.js';
import { word } from './words.js';

const post = (url, token, body) => ask(url, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'X-CSRFToken': token } });

const form = $('begin');
form?.addEventListener('submit', async (e) => {
  e.preventDefault();
  const bad = (text) => { $('begin-bad').textContent = text; $('begin-bad').hidden = !text; };
  const communities = [...form.querySelectorAll('[name="community"]:checked')].map((box) => box.value);
  if (!communities.length) { bad(word('choose_home')); return; }
  const name = form.elements.name.value.trim();
  const submit = form.querySelector('[type="submit"]');
  submit.disabled = true;
  const answer = await post('/api/v1/grids/drafts', form.dataset.token, { communities, ...(name ? { name } : {}) });
  submit.disabled = false;
  if (answer.ok) window.location.href = `/grids/drafts/${answer.body.id}`;
  else bad(word('begin_failed', { why: answer.why }));
});
document.addEventListener('click', (e) => { const open = $('new'); if (open?.open && !open.contains(e.target)) open.open = false; });
document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && $('new')?.open) { $('new').open = false; $('new').querySelector('summary').focus(); } });

const dialog = $('ask');
for (const one of document.querySelectorAll('[data-withdraw]')) {
  one.addEventListener('click', () => {
    $('ask-text').textContent = one.dataset.ask;
    $('ask-bad').hidden = true;
    const [no, yes] = dialog.querySelectorAll('.ends button');
    no.onclick = () => dialog.close();
    yes.onclick = async () => {
      yes.disabled = true;
      const answer = await post(`/api/v1/grids/drafts/${one.dataset.withdraw}/withdraw`, one.dataset.token, {});
      yes.disabled = false;
      if (answer.ok) { window.location.href = '/grids/editions?withdrawn=1'; return; }
      $('ask-bad').textContent = answer.why;
      $('ask-bad').hidden = false;
    };
    dialog.showModal();
  });
}
