// Open incidents by area, in five classes with round limits.
const SMALL_HA = 100;

/** Rounded to one or two digits, upward steps of the kind people write. */
function round(value) {
  const unit = 10 ** (Math.floor(Math.log10(value)) - (value / 10 ** Math.floor(Math.log10(value)) < 2 ? 1 : 0));
  return Number((Math.round(value / unit) * unit).toPrecision(2));
}

/** The classes of a day's grids: unit ('ha' or 'km2'), limits, and the class 0..5 of a grid (0: none open). */
export function classesOf(grids) {
  const sizes = grids.map((grid) => grid.ha).filter(Boolean).sort((a, b) => a - b);
  const unit = (sizes[sizes.length >> 1] || 0) > SMALL_HA ? 'km2' : 'ha';
  const valueOf = (grid) => (grid.ha ? (grid.open || 0) / (unit === 'km2' ? grid.ha / 100 : grid.ha) : 0);
  const values = grids.map(valueOf).filter((v) => v > 0).sort((a, b) => a - b);
  const limits = [];
  for (const share of [0.2, 0.4, 0.6, 0.8]) {
    const value = values.length ? round(values[Math.min(values.length - 1, Math.floor(values.length * share))]) : 0;
    if (value > (limits[limits.length - 1] || 0)) limits.push(value);
  }
  const tints = { 0: [3], 1: [2, 4], 2: [1, 3, 5], 3: [1, 2, 4, 5], 4: [1, 2, 3, 4, 5] }[limits.length];
  const classOf = (grid) => {
    const value = valueOf(grid);
    return value === 0 ? 0 : tints[limits.filter((limit) => value >= limit).length];
  };
  return { unit, limits, tints, classOf, valueOf, any: values.length > 0 };
}
