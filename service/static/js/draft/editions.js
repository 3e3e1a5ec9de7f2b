// The page of editions: begins a draft, gives one up, takes a published edition back.
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

// Taking a published edition back, and giving a draft up: asked first, in the page's own words.
const dialog = byId('ask');
for (const one of document.querySelectorAll('[data-withdraw], [data-drop]')) {
  const { withdraw, drop, version, token } = one.dataset;
  one.addEventListener('click', () => {
    byId('ask-text').textContent = one.dataset.ask;
    byId('ask-bad').hidden = true;
    const [no, yes] = dialog.querySelectorAll('.ends button');
    yes.textContent = one.dataset.do;
    no.onclick = () => dialog.close();
    yes.onclick = async () => {
      yes.disabled = true;
      const answer = await (withdraw ? post(`/api/v1/grids/drafts/${withdraw}/withdraw`, token, {}) : post(`/api/v1/grids/drafts/${drop}/drop`, token, { version: Number(version) }));
      yes.disabled = false;
      if (answer.ok) { window.location.href = `/grids/editions?${withdraw ? 'withdrawn' : 'dropped'}=1`; return; }
      byId('ask-bad').textContent = answer.why;
      byId('ask-bad').hidden = false;
    };
    dialog.showModal();
  });
}
