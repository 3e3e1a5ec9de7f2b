// Open incidents by area, in five classes with round limits.
const SMALL_HA = 100;

const NICE = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The nearest value of the kind people write: 0.15, 0.8, 2.5, 40. */
function round(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  const share = value / unit;
  const best = NICE.reduce((p, q) => (Math.abs(q - share) < Math.abs(p - share) ? q : p));
  return Number((best * unit).toPrecision(3));
}

/** The classes of a day's grids: unit ('ha' or 'km2'), limits, and the class 0..5 of a grid (0: none open). */
export function classesOf(grids) {
  const sizes = grids.map((grid) => grid.ha).filter(Boolean).sort((a, b) => a - b);
  const unit = (sizes[sizes.length >> 1] || 0) > SMALL_HA ? 'km2' : 'ha';
  const valueOf = (grid) => (grid.ha ? (grid.open || 0) / (unit === 'km2' ? grid.ha / 100 : grid.ha) : 0);
  const values = grids.map(valueOf).filter((v) => v > 0).sort((a, b) => a - b);
  const limits = [];
  if (values.length) {
    const [low, high] = [0.15, 0.85].map((share) => values[Math.min(values.length - 1, Math.floor(values.length * share))]);
    for (let i = 0; i < 4; i += 1) { // even steps of ratio between a low and a high value
      const limit = round(low * (high / low) ** (i / 3));
      if (limit > (limits[limits.length - 1] || 0)) limits.push(limit);
    }
  }
  const tints = { 0: [3], 1: [2, 4], 2: [1, 3, 5], 3: [1, 2, 4, 5], 4: [1, 2, 3, 4, 5] }[limits.length];
  const classOf = (grid) => {
    const value = valueOf(grid);
    return value === 0 ? 0 : tints[limits.filter((limit) => value >= limit).length];
  };
  return { unit, limits, tints, classOf, valueOf, any: values.length > 0 };
}
