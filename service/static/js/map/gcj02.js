// WGS-84 to GCJ-02, the offset that base maps in mainland China carry. The public approximation; about a metre true.
const A = 6378245;
const EE = 0.00669342162296594323;

const far = (lon, lat) => lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271;

function northing(x, y) {
  const p = Math.PI;
  return -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x))
    + ((20 * Math.sin(6 * x * p) + 20 * Math.sin(2 * x * p)) * 2) / 3
    + ((20 * Math.sin(y * p) + 40 * Math.sin((y / 3) * p)) * 2) / 3
    + ((160 * Math.sin((y / 12) * p) + 320 * Math.sin((y * p) / 30)) * 2) / 3;
}

function easting(x, y) {
  const p = Math.PI;
  return 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x))
    + ((20 * Math.sin(6 * x * p) + 20 * Math.sin(2 * x * p)) * 2) / 3
    + ((20 * Math.sin(x * p) + 40 * Math.sin((x / 3) * p)) * 2) / 3
    + ((150 * Math.sin((x / 12) * p) + 300 * Math.sin((x / 30) * p)) * 2) / 3;
}

/** [lon, lat] in degrees; unchanged outside China. */
export function toGcj02(lon, lat) {
  if (far(lon, lat)) return [lon, lat];
  const rad = (lat * Math.PI) / 180;
  const m = 1 - EE * Math.sin(rad) ** 2;
  const north = (northing(lon - 105, lat - 35) * 180) / (((A * (1 - EE)) / (m * Math.sqrt(m))) * Math.PI);
  const east = (easting(lon - 105, lat - 35) * 180) / ((A / Math.sqrt(m)) * Math.cos(rad) * Math.PI);
  return [lon + east, lat + north];
}
