// Call buttons: the whole number is asked for when it is needed, dialled on a phone, shown with copying on a PC.
import { icon } from './icons.js';
import { say } from './words.js';

export class Calling {
  constructor(place, tell) {
    this.tell = tell;
    this.dials = window.matchMedia('(pointer: coarse)');
    place.addEventListener('click', (e) => {
      const button = e.target.closest('[data-call]');
      if (button) this.reveal(button);
    });
  }

  async reveal(button) {
    if (button.disabled) return;
    button.disabled = true;
    const phone = await this.ask(button);
    button.disabled = false;
    if (!phone) return;
    const shown = this.dials.matches ? this.link(button, phone) : this.words(phone);
    button.replaceWith(shown);
    shown.focus?.();
    if (this.dials.matches) window.location.href = shown.href;
  }

  /** The number, or null when it was refused (the user is told why). */
  async ask(button) {
    const { call, code } = button.dataset;
    const token = button.closest('[data-csrf]')?.dataset.csrf || '';
    try {
      const answer = await fetch('/phones/reveal', {
        method: 'POST',
        credentials: 'same-origin',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': token },
        body: JSON.stringify({ kind: call, code }),
      });
      const body = await answer.json();
      if (answer.ok) return body.phone;
      this.tell(body.detail || say('failed', { what: say('phone'), why: answer.status }));
    } catch {
      this.tell(say('no_network'));
    }
    return null;
  }

  link(button, phone) {
    const out = Object.assign(document.createElement('a'), { className: button.className, href: `tel:${phone.replace(/[^\d+]/g, '')}` });
    out.setAttribute('aria-label', `${button.getAttribute('aria-label')} ${phone}`);
    out.append(...button.childNodes);
    return out;
  }

  words(phone) {
    const out = Object.assign(document.createElement('span'), { className: 'told', tabIndex: -1 });
    const copy = Object.assign(document.createElement('button'), { type: 'button', className: 'act icon', title: say('copy_phone') });
    copy.setAttribute('aria-label', say('copy_phone'));
    copy.append(icon('link'));
    copy.addEventListener('click', () => this.copy(phone));
    out.append(Object.assign(document.createElement('b'), { className: 'num', textContent: phone }), copy);
    return out;
  }

  async copy(phone) {
    try {
      await navigator.clipboard.writeText(phone);
      this.tell(say('phone_copied'));
    } catch {
      this.tell(phone);
    }
  }
}
