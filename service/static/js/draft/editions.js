// The page of editions: begins a draft, takes a published edition back.
import { ask } from './api.js';
import { byId } from './dom.js';
import { word } from './words.js';

const post = (url, token, body) => ask(url, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'X-CSRFToken': token } });

const form = byId('begin');
form?.addEventListener('submit', async (e) => {
  e.preventDefault();
  const bad = (text) => { byId('begin-bad').textContent = text; byId('begin-bad').hidden = !text; };
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
document.addEventListener('click', (e) => { const open = byId('new'); if (open?.open && !open.contains(e.target)) open.open = false; });
document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && byId('new')?.open) { byId('new').open = false; byId('new').querySelector('summary').focus(); } });

const dialog = byId('ask');
for (const one of document.querySelectorAll('[data-withdraw]')) {
  one.addEventListener('click', () => {
    byId('ask-text').textContent = one.dataset.ask;
    byId('ask-bad').hidden = true;
    const [no, yes] = dialog.querySelectorAll('.ends button');
    no.onclick = () => dialog.close();
    yes.onclick = async () => {
      yes.disabled = true;
      const answer = await post(`/api/v1/grids/drafts/${one.dataset.withdraw}/withdraw`, one.dataset.token, {});
      yes.disabled = false;
      if (answer.ok) { window.location.href = '/grids/editions?withdrawn=1'; return; }
      byId('ask-bad').textContent = answer.why;
      byId('ask-bad').hidden = false;
    };
    dialog.showModal();
  });
}
