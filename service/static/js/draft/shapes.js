// Geometry of what is drawn, in degrees: labels, containment, and the border that two grids share.

export const polygonsOf = (geometry) => (geometry.type === 'MultiPolygon' ? geometry.coordinates : geometry.type === 'Polygon' ? [geometry.coordinates] : []);

export const ringsOf = (geometry) => polygonsOf(geometry).flat();

/** [west, south, east, north] */
export function boundsOf(geometries) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const geometry of geometries) {
    for (const ring of ringsOf(geometry)) {
      for (const [x, y] of ring) {
        if (x < box[0]) box[0] = x;
        if (y < box[1]) box[1] = y;
        if (x > box[2]) box[2] = x;
        if (y > box[3]) box[3] = y;
      }
    }
  }
  return box;
}

const METRES = 111320;
const labels = new WeakMap();

/** {at: [lon, lat], r: metres}: about the middle of the largest circle inside; kept per geometry. */
export function labelOf(geometry) {
  let known = labels.get(geometry);
  if (!known) { known = middle(geometry); labels.set(geometry, known); }
  return known;
}

function middle(geometry) {
  const [west, south, east, north] = boundsOf([geometry]);
  const kx = METRES * Math.cos(((south + north) / 2) * (Math.PI / 180));
  const rings = ringsOf(geometry).map((ring) => ring.map(([x, y]) => [(x - west) * kx, (y - south) * METRES]));
  const [wide, high] = [(east - west) * kx, (north - south) * METRES];
  let best = { x: wide / 2, y: high / 2, d: -Infinity };
  let step = Math.min(wide, high) / 6 || 1;
  let spots = [];
  for (let x = step / 2; x < wide; x += step) for (let y = step / 2; y < high; y += step) spots.push([x, y]);
  for (let round = 0; round < 4; round += 1) {
    for (const [x, y] of spots) { const d = depth(rings, x, y); if (d > best.d) best = { x, y, d }; }
    step /= 2.5;
    spots = [];
    for (let i = -2; i <= 2; i += 1) for (let j = -2; j <= 2; j += 1) if (i || j) spots.push([best.x + i * step, best.y + j * step]);
  }
  return { at: [west + best.x / kx, south + best.y / METRES], r: Math.max(0, best.d) };
}

/** Distance to the border in the rings' unit; negative outside. */
function depth(rings, x, y) {
  let least = Infinity;
  let within = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const [ax, ay] = ring[j];
      const [bx, by] = ring[i];
      if ((ay > y) !== (by > y) && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
      const [dx, dy] = [bx - ax, by - ay];
      const long = dx * dx + dy * dy;
      const t = long ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / long)) : 0;
      least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
    }
  }
  return within ? least : -least;
}

const keyOf = ([x, y]) => `${x.toFixed(9)},${y.toFixed(9)}`;

/** Segments of a geometry: key of both ends -> [from, to]. */
function segments(geometry) {
  const out = new Map();
  for (const ring of ringsOf(geometry)) {
    for (let i = 1; i < ring.length; i += 1) {
      const [p, q] = [keyOf(ring[i - 1]), keyOf(ring[i])];
      if (p !== q) out.set(p < q ? `${p}|${q}` : `${q}|${p}`, [ring[i - 1], ring[i]]);
    }
  }
  return out;
}

/** The lines along which two grids touch, each a list of [lon, lat]. */
export function sharedLines(a, b) {
  const theirs = segments(b);
  const shared = [...segments(a)].filter(([key]) => theirs.has(key)).map(([, pair]) => pair);
  const at = new Map();
  for (const pair of shared) for (const end of pair) { const key = keyOf(end); if (!at.has(key)) at.set(key, []); at.get(key).push(pair); }
  const used = new Set();
  const out = [];
  const walk = (from) => {
    const line = [from];
    for (let here = from; ;) {
      const next = at.get(keyOf(here)).find((pair) => !used.has(pair));
      if (!next) break;
      used.add(next);
      here = keyOf(next[0]) === keyOf(here) ? next[1] : next[0];
      line.push(here);
    }
    if (line.length > 1) out.push(line);
  };
  for (const [, pairs] of at) if (pairs.length === 1) for (const end of pairs[0]) if (at.get(keyOf(end)).length === 1) walk(end);
  for (const pair of shared) if (!used.has(pair)) walk(pair[0]);
  return out;
}

/** Distance in pixels from a point to a line of points, all in pixels. */
export function distance(line, x, y) {
  let least = Infinity;
  for (let i = 1; i < line.length; i += 1) {
    const [[ax, ay], [bx, by]] = [line[i - 1], line[i]];
    const [dx, dy] = [bx - ax, by - ay];
    const long = dx * dx + dy * dy;
    const t = long ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / long)) : 0;
    least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return least;
}
