// Points of a light curve: fluxes as magnitudes, and which of them are upper limits.
const ZERO_POINT = 31.4; // AB magnitude of 1 nJy
const MAG_PER_RELATIVE_FLUX = 2.5 / Math.LN10;
const FORCED_SIGMA = 3; // fainter forced points are upper limits on a magnitude axis
const LIMIT_SIGMA = 5;
const MAX_BAR = { mag: 1, flux: Infinity }; // longer error bars do not widen the axis

/** The page's columns as objects, in their order: a value in `mag` (AB) and in `flux` (µJy), each with its error. */
export function pointsOf(data) {
  return data.mjd.map((t, i) => {
    const kind = data.kinds[data.kind[i]] ?? "unknown";
    const flux = data.flux[i];
    const err = data.err[i];
    const isUpperLimit = kind === "upper_limit" || (kind === "forced" && !(err !== null && flux >= FORCED_SIGMA * err));
    return {
      mjd: data.mjd0 + t,
      band: data.bands[data.band[i]] ?? "unknown",
      kind,
      style: { mag: styleOf(kind, isUpperLimit, flux), flux: styleOf(kind, false, flux) },
      mag: isUpperLimit ? { y: magnitude(LIMIT_SIGMA * err), err: null } : { y: magnitude(flux), err: magnitudeError(flux, err) },
      flux: { y: flux === null ? null : flux / 1000, err: err === null ? null : err / 1000 },
    };
  });
}

function styleOf(kind, isUpperLimit, flux) {
  if (isUpperLimit) return "limit";
  if (kind === "forced" || kind === "low_quality") return kind;
  return flux < 0 ? "faded" : "detection";
}

function magnitude(flux) {
  return flux ? ZERO_POINT - 2.5 * Math.log10(Math.abs(flux)) : null;
}

function magnitudeError(flux, err) {
  return flux && err !== null ? (MAG_PER_RELATIVE_FLUX * err) / Math.abs(flux) : null;
}

/** Points that have a value in this unit and are not switched off; an upper limit goes with its band and with `upper_limit`. */
export function visible(points, unit, off) {
  return points.filter((p) => {
    const isOff = off.has(`band:${p.band}`) || off.has(`kind:${p.kind}`) || (p.style[unit] === "limit" && off.has("kind:upper_limit"));
    return !isOff && p[unit].y !== null;
  });
}

/** Range of time around points, never empty. */
export function timeRange(points) {
  if (!points.length) return [0, 1];
  return padded(points[0].mjd, points.at(-1).mjd, 0.03, 0.5);
}

/** Range of values of the points between two times, with their error bars. */
export function valueRange(points, unit, from, to) {
  let low = Infinity;
  let high = -Infinity;
  for (const p of points) {
    if (p.mjd < from || p.mjd > to) continue;
    const bar = Math.min(p[unit].err ?? 0, MAX_BAR[unit]);
    low = Math.min(low, p[unit].y - bar);
    high = Math.max(high, p[unit].y + bar);
  }
  return low > high ? [0, 1] : padded(low, high, 0.05, unit === "mag" ? 0.25 : 0.01 * Math.abs(high) + 1e-6);
}

function padded(low, high, fraction, minimum) {
  const pad = Math.max((high - low) * fraction, minimum);
  return [low - pad, high + pad];
}

/** One line about a point. */
export function describe(point, unit) {
  const { y, err } = point[unit];
  const digits = unit === "mag" ? 2 : Math.abs(y) < 10 ? 3 : 1;
  const value = y.toFixed(digits).replace("-", "−");
  const name = { limit: `> ${value}`, faded: `−(${value})` }[unit === "mag" ? point.style.mag : ""] ?? value;
  const error = err === null ? "" : ` ± ${err.toFixed(digits)}`;
  return `${point.band} ${name}${error} ${unit === "mag" ? "mag" : "µJy"}`;
}
