// Local metres around the centre of the data: mercator scaled to true length there, so that Leaflet's pixels are an exact affine map of them.
const EARTH = 6378137;
const RAD = Math.PI / 180;

export class Frame {
  /** @param {[number, number, number, number]} bounds west, south, east, north in degrees */
  constructor([west, south, east, north]) {
    this.lon0 = (west + east) / 2;
    this.lat0 = (south + north) / 2;
    this.k = Math.cos(this.lat0 * RAD);
    this.y0 = Math.log(Math.tan(Math.PI / 4 + (this.lat0 * RAD) / 2));
    this.scale = EARTH * this.k;
  }

  x(lon) { return (lon - this.lon0) * RAD * this.scale; }

  y(lat) { return (Math.log(Math.tan(Math.PI / 4 + (lat * RAD) / 2)) - this.y0) * this.scale; }

  lon(x) { return this.lon0 + x / this.scale / RAD; }

  lat(y) { return (2 * Math.atan(Math.exp(y / this.scale + this.y0)) - Math.PI / 2) / RAD; }

  /** Pixels per metre at a Leaflet zoom. */
  perMetre(zoom) { return (256 * 2 ** zoom) / (2 * Math.PI * EARTH * this.k); }

  /** [[lon, lat], …] as a flat Float64Array of x, y. */
  line(coordinates) {
    const out = new Float64Array(coordinates.length * 2);
    for (let i = 0; i < coordinates.length; i += 1) { out[2 * i] = this.x(coordinates[i][0]); out[2 * i + 1] = this.y(coordinates[i][1]); }
    return out;
  }

  /** Flat [lon, lat, lon, lat, …] (times unit, plus origin) as flat x, y. */
  flat(values, unit = 1, [lon, lat] = [0, 0]) {
    const out = new Float64Array(values.length);
    for (let i = 0; i < values.length; i += 2) { out[i] = this.x(lon + values[i] * unit); out[i + 1] = this.y(lat + values[i + 1] * unit); }
    return out;
  }
}

/** Adds a flat line or ring to a Path2D. */
export function trace(path, flat, close) {
  path.moveTo(flat[0], flat[1]);
  for (let i = 2; i < flat.length; i += 2) path.lineTo(flat[i], flat[i + 1]);
  if (close) path.closePath();
  return path;
}

/** Twice the signed area of a ring; positive when counter-clockwise. */
export function turning(flat) {
  let sum = 0;
  for (let i = 0, j = flat.length - 2; i < flat.length; j = i, i += 2) sum += flat[j] * flat[i + 1] - flat[i] * flat[j + 1];
  return sum;
}

export function reversed(flat) {
  const out = new Float64Array(flat.length);
  for (let i = 0; i < flat.length; i += 2) { out[i] = flat[flat.length - 2 - i]; out[i + 1] = flat[flat.length - 1 - i]; }
  return out;
}

/** Whether a point lies in the even-odd interior of rings. */
export function inside(rings, x, y) {
  let hit = false;
  for (const flat of rings) {
    for (let i = 0, j = flat.length - 2; i < flat.length; j = i, i += 2) {
      if ((flat[i + 1] > y) !== (flat[j + 1] > y)
        && x < ((flat[j] - flat[i]) * (y - flat[i + 1])) / (flat[j + 1] - flat[i + 1]) + flat[i]) hit = !hit;
    }
  }
  return hit;
}

/** [x0, y0, x1, y1] of flat lines. */
export function boxOf(lines) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const flat of lines) {
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] < box[0]) box[0] = flat[i];
      if (flat[i] > box[2]) box[2] = flat[i];
      if (flat[i + 1] < box[1]) box[1] = flat[i + 1];
      if (flat[i + 1] > box[3]) box[3] = flat[i + 1];
    }
  }
  return box;
}

export const meets = (a, b) => a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
