// From values to colours: the limits that a map's colours run between, as vizvit/figures/scale.py chooses them. A map
// is the patches' part of a row over tokens: { row, first, count }.

const LEAST = 1e-4; // the lower end of a logarithmic scale, as a share of its upper end
const EVEN = 1.5; // times its mean: what a scale reaches at least, so that a map that is alike everywhere looks even

// { low, high, log, clipped, even } for each map. mode: "own", 0 to the map's greatest value, 1.5 times its mean at least;
// "shared", of all maps together; "absolute", 0 to 1; "percentile", from the map's 1st to its 99th. curve: "linear", or
// "log", which begins at the least positive value, at the mean / 1.5 at most, or at a 10,000th of the upper end. clipped:
// some values lie outside and take the end colours. even: no value reaches the upper end, so even is the map.
export function limitsOf(maps, mode, curve) {
  const log = curve === "log", ranges = maps.map(rangeOf);
  const all = {
    least: Math.min(...ranges.map((range) => range.least)),
    most: Math.max(...ranges.map((range) => range.most)),
    mean: ranges.reduce((sum, range, i) => sum + range.mean * maps[i].count, 0) / maps.reduce((sum, map) => sum + map.count, 0),
  };
  return maps.map((map, index) => {
    const own = ranges[index];
    const range = mode === "shared" ? all : own, whole = [0, upperEnd(range)], percentiles = mode === "percentile" && percentilesOf(map);
    const { low, high } = mode === "absolute" ? { low: log ? LEAST : 0, high: 1 }
      : endsOf(...(percentiles && percentiles[0] < percentiles[1] ? percentiles : whole), range, log);
    return { low, high, log, clipped: own.bottom < low || own.most > high, even: high === whole[1] && mode !== "absolute" && range.most < high };
  });
}

// Limits of values of both signs, such as differences: 0 is the middle colour.
export function signedLimits(row, first, count) {
  let most = 0;
  for (let i = first; i < first + count; i++) most = Math.max(most, Math.abs(row[i]));
  return { low: -(most || 1), high: most || 1, log: false, clipped: false };
}

function rangeOf({ row, first, count }) {
  let bottom = Infinity, least = Infinity, most = 0, sum = 0;
  for (let i = first; i < first + count; i++) {
    const value = row[i];
    if (value < bottom) bottom = value;
    if (value > 0 && value < least) least = value;
    if (value > most) most = value;
    sum += value;
  }
  return { bottom, least, most, mean: sum / count };
}

function upperEnd({ most, mean }) {
  return Math.max(most, EVEN * mean) || 1; // for zeros 1
}

function endsOf(low, high, { least, most, mean }, log) {
  return { low: log ? Math.max(low || (most > 0 ? Math.min(least, mean / EVEN) : 0), LEAST * high) : low, high };
}

// The 1st and the 99th percentile of a map, as NumPy finds them.
export function percentilesOf({ row, first, count }) {
  const sorted = row.slice(first, first + count).sort();
  return [0.01, 0.99].map((part) => {
    const place = part * (count - 1), index = Math.floor(place);
    return sorted[index] + (place - index) * (sorted[Math.min(index + 1, count - 1)] - sorted[index]);
  });
}

// Which of 256 colours a value takes.
export function colourIndex(value, { low, high, log }) {
  if (!(value > low)) return 0; // also for what is not a number
  const place = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.min(255, Math.floor(place * 255 + 0.5));
}

// `colourIndex` of row[first], row[first + 1], …, `count` of them, into `out`.
export function paintIndices(row, first, count, limits, out) {
  const { low, high, log } = limits, base = log ? Math.log(low) : low;
  const factor = 255 / ((log ? Math.log(high) : high) - base);
  for (let i = 0; i < count; i++) {
    const value = row[first + i];
    const index = value > low ? ((log ? Math.log(value) : value) - base) * factor + 0.5 : 0;
    out[i] = index < 255 ? index : 255;
  }
  return out;
}

let indexScratch = new Uint8Array(0);

// Writes row[first], row[first + 1], … of a [rows, cols] grid as RGBA into `target`, whose lines are `stride` pixels
// long, from pixel `at` on.
export function shadeMap(target, stride, row, first, rows, cols, limits, colours, at = 0) {
  const count = rows * cols;
  if (indexScratch.length < count) indexScratch = new Uint8Array(count);
  paintIndices(row, first, count, limits, indexScratch);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0, to = at + r * stride; c < cols; c++) target[to + c] = colours[indexScratch[i++]];
  }
}
