// Elements from plain data; text is set as text.
import { icon } from '../map/icons.js';

/** An element with properties (`dataset`, `attrs` and `on` apart) and children: elements or texts, null left out. */
export function el(tag, { dataset = {}, attrs = {}, on = {}, ...props } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), props);
  Object.assign(made.dataset, dataset);
  for (const [name, value] of Object.entries(attrs)) made.setAttribute(name, value);
  for (const [name, fn] of Object.entries(on)) made.addEventListener(name, fn);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** A button with an icon (or none), a word and what it does. */
export function button(text, act, { sign = '', look = 'act small', ...more } = {}) {
  return el('button', { type: 'button', className: look, on: { click: act }, ...more }, sign ? icon(sign) : null, text);
}

/** A labelled field of a form. */
export function field(label, input) {
  return el('label', { className: 'one' }, el('span', { textContent: label }), input);
}

/** Radio buttons under one name: [[value, word], …]. */
export function choice(legend, name, options, value, changed = () => {}) {
  return el('fieldset', { className: 'choice' }, el('legend', { textContent: legend }), ...options.map(([key, text]) => el(
    'label', {}, el('input', { type: 'radio', name, value: key, checked: key === value, on: { change: () => changed(key) } }), text,
  )));
}

export function select(options, value, changed = () => {}) {
  const made = el('select', { on: { change: () => changed(made.value) } }, ...options.map(([key, text]) => new Option(text, key, false, key === value)));
  return made;
}

export const byId = (id) => document.getElementById(id);
