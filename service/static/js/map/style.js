// The tokens of css/tokens.css as the canvas needs them.
const css = getComputedStyle(document.documentElement);
const kept = new Map();

/** The value of a CSS custom property. */
export function token(name) {
  let value = kept.get(name);
  if (value === undefined) { value = css.getPropertyValue(name).trim(); kept.set(name, value); }
  return value;
}

export const FONT = token('--font');
export const ORDER = ['late', 'way', 'chk', 'rep', 'done'];
export const STATE = Object.fromEntries(ORDER.map((key) => [key, token(`--${key}-fill`)]));
export const COMMUNITY = Array.from({ length: 8 }, (_, i) => ({ light: token(`--com-${i}`), dark: token(`--com-${i}-ink`) }));

/** Width in metres, least width and casing in pixels, by street level. */
export const STREET = [
  { m: 17, min: 2.4, edge: 1.6 }, { m: 12, min: 1.8, edge: 1.4 }, { m: 9, min: 1.3, edge: 1.2 }, { m: 4.5, min: 0.8, edge: 0.8 },
];
