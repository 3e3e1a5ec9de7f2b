// The interface of drafts: asks and saves, and tells apart what may come back.
import { word } from './words.js';

export class Api {
  constructor(id, token) { this.root = `/api/v1/grids/drafts/${id}`; this.token = token; }

  get(path = '') { return ask(`${this.root}${path}`, { method: 'GET' }); }

  post(path, body) { return ask(`${this.root}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'X-CSRFToken': this.token } }); }
}

/** {ok, status, body, why}; status 0 when there is no network. `why` says what was wrong, for people. */
export async function ask(url, options) {
  let answer;
  try {
    answer = await fetch(url, { credentials: 'same-origin', ...options, headers: { Accept: 'application/json', ...options.headers } });
  } catch {
    return { ok: false, status: 0, body: {}, why: word('no_network') };
  }
  let body = {};
  try { body = await answer.json(); } catch { /* no body, or none that is JSON: the status says enough */ }
  const why = answer.ok ? '' : answer.status === 401 ? word('session_over') : reasons(body, answer.status);
  return { ok: answer.ok, status: answer.status, body, why };
}

function reasons(body, status) {
  const each = (body.errors || []).map((one) => one.message).filter(Boolean);
  return each.length ? [...new Set(each)].join(' ') : body.detail || body.title || `HTTP ${status}`;
}
