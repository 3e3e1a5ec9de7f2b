// Before a draft becomes an edition: what the chosen day changes, what stands in the way, and the one button.
import { icon } from '../map/icons.js';
import { Api } from './api.js';
import { byId, el } from './dom.js';
import { area, short, spokenDay, word } from './words.js';

const config = JSON.parse(byId('steward-config').textContent);
const api = new Api(config.id, config.token);
const form = byId('publish');
let told = null;
let asking = 0;

const people = (one) => (one ? one.name : word('vacant'));
const moved = (before, after, same = before === after) => (same || before === null ? [String(after)] : [el('del', { textContent: before }), ' ', String(after)]);
const cell = (label, ...content) => el('td', { dataset: { word: label } }, ...content);
const right = (label, ...content) => el('td', { className: 'r num', dataset: { word: label } }, ...content);
const part = (title, n, ...children) => el('section', { className: 'part wide' }, el('h2', {}, title, n === null ? null : el('b', { textContent: n })), ...children);
const note = (text) => el('p', { className: 'quiet', textContent: text });

function table(heads, rows) {
  return el('div', { className: 'wide-table', tabIndex: 0 }, el('table', { className: 'rows' }, el('thead', {}, el('tr', {}, ...heads.map(([text, cls]) => el('th', { scope: 'col', className: cls || '', textContent: text })))), el('tbody', {}, ...rows)));
}

async function preview() {
  const on = form.elements.on.value;
  asking += 1;
  if (!on) { told = null; byId('go').disabled = true; byId('when').textContent = word('choose_day'); return; }
  const mine = asking;
  byId('preview').setAttribute('aria-busy', 'true');
  byId('go').disabled = true;
  const answer = await api.get(`/preview?on=${on}`);
  if (mine !== asking) return;
  byId('preview').removeAttribute('aria-busy');
  told = answer.ok ? answer.body : null;
  if (!told) { byId('preview').replaceChildren(el('section', { className: 'part' }, el('p', { className: 'bad', textContent: answer.why }))); return; }
  show();
}

function show() {
  const { counts, duties, incidents } = told;
  const listed = told.grids.filter((one) => one.changes.length);
  const figure = (n, key, hot = false) => el('div', {}, el('dd', { className: hot && n ? 'n hot' : 'n', textContent: n }), el('dt', { textContent: word(key) }));
  byId('tally').replaceChildren(figure(counts.new, 't_new'), figure(counts.gone, 't_gone'), figure(counts.changed, 't_changed'), figure(duties.ended_count, 't_ended', true), figure(duties.planned_count, 't_planned'), figure(told.without_leader.length, 't_vacant', true), figure(incidents.count, 't_incidents'));
  for (const one of document.querySelectorAll('[data-on]')) one.setAttribute('aria-pressed', String(one.dataset.on === told.on));
  byId('when').textContent = word('holds_from', { day: spokenDay(told.on) });
  byId('preview').replaceChildren(...[hindrances(), grids(listed), dutyParts(duties), vacancies(), incidentPart(incidents), faultPart(), later()].flat().filter(Boolean));
  ready();
}

/** What stands in the way, each with what clears it. */
function hindrances() {
  if (!told.hindrances.length && !told.warnings.length) return null;
  const rows = told.hindrances.map((one) => {
    if (one.needs === 'reason') return el('li', {}, el('label', { className: 'one' }, el('span', { textContent: one.message }), el('input', { type: 'text', id: 'reason', maxLength: 500, value: form.dataset.reason || '', on: { input: (e) => { form.dataset.reason = e.target.value; ready(); } } })));
    if (one.needs) return el('li', {}, el('label', { className: 'tickline' }, el('input', { type: 'checkbox', dataset: { needs: one.needs }, checked: form.dataset[one.needs] === '1', on: { change: (e) => { form.dataset[one.needs] = e.target.checked ? '1' : ''; ready(); } } }), el('span', {}, one.message, el('b', { textContent: ` ${word(one.needs)}` }))));
    return el('li', { className: 'stop' }, icon('warn'), el('span', { textContent: one.message }));
  });
  const warnings = told.warnings.map((text) => el('li', {}, icon('note'), el('span', { textContent: text })));
  return el('section', { className: 'part wide before' }, el('h2', { textContent: told.hindrances.length ? word('before') : word('warning') }), el('ul', {}, ...rows, ...warnings));
}

function grids(listed) {
  if (!listed.length) return part(word('changed_grids'), 0, note(word('no_changes')));
  const rows = listed.map((one) => {
    const kinds = one.changes.map((kind) => word(`c_${kind}`)).join(word('comma'));
    const look = one.changes.includes('new') ? 'new' : one.changes.includes('gone') ? 'gone' : one.changes.includes('changed') ? 'reshaped' : 'words';
    const gone = look === 'gone';
    const figure = (value) => (value === null ? word('none') : value);
    const size = gone ? [el('del', { textContent: area(one.area_before_m2) })] : moved(one.area_before_m2 === null ? null : area(one.area_before_m2), area(one.area_m2));
    const homes = gone ? [el('del', { textContent: figure(one.households_before) })] : [...moved(one.households_before, figure(one.households)), one.estimated ? el('small', { textContent: word('estimate') }) : null];
    const lead = gone ? [el('del', { textContent: people(one.leader_before) })] : look === 'new' ? [people(one.leader)] : moved(people(one.leader_before), people(one.leader));
    const head = el('th', { scope: 'row' }, el('b', { textContent: short(one.code) }), ` ${one.name}`, one.name_before && one.name_before !== one.name ? el('small', {}, el('del', { textContent: one.name_before })) : null, one.code_before && one.code_before !== one.code ? el('small', { textContent: word('origin_moved', { code: one.code_before }) }) : one.cut_from?.length ? el('small', { textContent: word('origin_new', { codes: one.cut_from.map(short).join(word('comma')) }) }) : null);
    return el('tr', {}, head, cell(word('what'), el('span', { className: `mark ${look}`, textContent: kinds })), right(word('area'), ...size), right(word('households'), ...homes.filter(Boolean)), cell(word('leader'), ...lead));
  });
  return part(word('changed_grids'), listed.length, table([[word('grid')], [word('what')], [word('area'), 'r'], [word('households'), 'r'], [word('leader')]], rows));
}

function dutyParts(duties) {
  const line = (one, more) => el('li', {}, el('b', { className: 'num', textContent: short(one.grid) }), ` ${one.role_name} `, one.person.name, more ? el('small', { textContent: more }) : null);
  const list = (key, rows, n, more = () => '') => (n ? part(word(key), n, el('ul', { className: 'lines' }, ...rows.map((one) => line(one, more(one)))), rows.length < n ? note(word('and_more', { n: n - rows.length })) : null) : null);
  return [
    list('d_ended', duties.ended, duties.ended_count, () => word('ends_on', { day: told.on })),
    list('d_moved', duties.moved, duties.moved_count, (one) => `→ ${one.to}`),
    list('d_planned', duties.planned, duties.planned_count, (one) => (one.until ? `→ ${one.until}` : '')),
  ];
}

function vacancies() {
  if (!told.without_leader.length) return null;
  return part(word('d_vacant'), told.without_leader.length, el('ul', { className: 'lines' }, ...told.without_leader.map((one) => el('li', {}, el('b', { className: 'num', textContent: short(one.code) }), ` ${one.name}`))), el('p', {}, el('a', { href: `/grids/drafts/${told.id}`, textContent: word('go_assign') })));
}

function incidentPart({ count, items }) {
  if (!count) return null;
  const rows = items.map((one) => el('tr', {}, el('th', { scope: 'row' }, el('a', { href: `/incidents/${encodeURIComponent(one.number)}`, textContent: one.title }), el('small', { className: 'num', textContent: one.number })), cell(word('state'), one.state_name), cell(word('grid'), ...moved(one.grid_before ? short(one.grid_before) : word('none'), one.grid ? short(one.grid) : word('none'))), cell(word('leader'), ...moved(people(one.leader_before), people(one.leader)))));
  return part(word('d_incidents'), count, table([[word('incident')], [word('state')], [word('grid')], [word('leader')]], rows), items.length < count ? note(word('and_more', { n: count - items.length })) : null);
}

function faultPart() {
  if (!told.faults.length) return null;
  return part(word('d_faults'), told.faults.length, el('ul', { className: 'lines' }, ...told.faults.map((one) => el('li', {}, word('fault_words', { kind: word(one.kind), area: area(one.area_m2) }), el('small', { textContent: one.codes.map(short).join(word('comma')) })))));
}

function later() {
  if (!told.later.length) return null;
  return part(word('d_later'), told.later.length, note(word('later_words', { days: [...new Set(told.later.map((one) => spokenDay(one.edition)))].join(word('comma')) })));
}

/** The button wakes when everything that is asked for is said. */
function ready() {
  if (!told) return;
  const said = told.hindrances.every((one) => (one.needs === 'reason' ? (form.dataset.reason || '').trim() : one.needs && form.dataset[one.needs] === '1'));
  byId('go').disabled = !told.can_publish || !said;
}

form.elements.on.addEventListener('change', preview);
for (const one of document.querySelectorAll('[data-on]')) one.addEventListener('click', () => { form.elements.on.value = one.dataset.on; preview(); });
form.addEventListener('submit', async (e) => {
  e.preventDefault();
  if (byId('go').disabled || !told) return;
  byId('go').disabled = true;
  const body = { version: told.version, on: told.on };
  const asked = told.hindrances.map((one) => one.needs);
  if (asked.includes('reason')) body.reason = form.dataset.reason.trim();
  for (const key of ['accept_faults', 'over_newer']) if (asked.includes(key)) body[key] = true;
  const answer = await api.post('/publish', body);
  if (answer.ok) { window.location.href = `/grids/editions?published=${told.id}`; return; }
  byId('bad').textContent = answer.why;
  byId('bad').hidden = false;
  if (answer.status === 409) preview(); else ready();
});
window.addEventListener('pageshow', (e) => { if (e.persisted) preview(); }); // back from where publishing led
preview();
