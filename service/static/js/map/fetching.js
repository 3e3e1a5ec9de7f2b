// One question at a time per subject: a new one takes the place of the one before.
import { say } from './words.js';

// What the page asked for before this script was there: address to answer (null when it failed), each used once.
const early = window.stewardEarly || new Map();

let tell = () => {};
/** Who shows a fault to the user: (text, {label, act}) */
export function onFault(fn) { tell = fn; }

export class Refused extends Error {
  constructor(status, detail) { super(detail || `HTTP ${status}`); this.status = status; }
}

export class Latest {
  /** @param {string} what key of the words that name the subject */
  constructor(what) { this.what = what; this.running = null; }

  /** The answer as JSON (or text), or null when a newer question took its place or it failed (the user is told). */
  async ask(url, { text = false, quiet = false } = {}) {
    this.stop();
    const mine = new AbortController();
    this.running = mine;
    try {
      const begun = early.get(url);
      early.delete(url);
      const answer = (await begun) || await fetch(url, { signal: mine.signal, headers: { 'X-Requested-With': 'fetch' }, credentials: 'same-origin' });
      if (!answer.ok) throw new Refused(answer.status, await reason(answer));
      const body = text ? await answer.text() : await answer.json();
      return this.running === mine ? body : null;
    } catch (fault) {
      if (fault.name === 'AbortError') return null;
      if (!quiet) this.report(fault);
      return null;
    } finally {
      if (this.running === mine) this.running = null;
    }
  }

  stop() {
    if (this.running) this.running.abort();
    this.running = null;
  }

  report(fault) {
    if (fault.status === 401) tell(say('session_over'), { label: say('sign_in'), act: () => { window.location.href = `/login?next=${encodeURIComponent(window.location.pathname + window.location.search)}`; } });
    else if (fault instanceof Refused) tell(say('failed', { what: say(this.what), why: fault.message }));
    else tell(say('no_network'));
  }
}

async function reason(answer) {
  try { return (await answer.json()).detail; } catch { return ''; }
}

/** Keeps answers by box: whether a view is covered by what was last read. */
export class Covered {
  constructor() { this.forget(); }

  forget() { this.box = null; this.all = false; this.zoom = null; }

  holds(box, zoom = null) {
    if (this.all) return true;
    const b = this.box;
    return !!b && box[0] >= b[0] && box[1] >= b[1] && box[2] <= b[2] && box[3] <= b[3] && (zoom === null || zoom === this.zoom);
  }

  keep(box, { all = false, zoom = null } = {}) { this.box = box; this.all = all; this.zoom = zoom; }
}

export const LONG_MS = 300; // nobody needs to be told of less

/** Grey lines in the place of what is still read. */
export function bones(lines, name = 'div') {
  const out = Object.assign(document.createElement(name), { className: 'bones' });
  out.setAttribute('aria-busy', 'true');
  for (let i = 0; i < lines; i += 1) out.append(document.createElement('i'));
  return out;
}

export const asText = (box) => box.map((value) => value.toFixed(6)).join(',');
