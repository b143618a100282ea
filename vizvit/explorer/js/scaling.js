// From values to colours: the limits that a map's colours run between, as vizvit/scale.py chooses them, and the ticks
// that say so. A map is the patches' part of a row over tokens: { row, first, count }.

const LEAST = 1e-4; // the lower end of a logarithmic scale, as a share of its upper end

// { low, high, log, clipped } for each map. mode: "own", 0 to the map's greatest value; "shared", to the greatest of all
// maps; "absolute", 0 to 1; "percentile", from the map's 1st to its 99th. curve: "linear", or "log", which begins at the
// least positive value or at a 10,000th of the upper end. clipped: some values lie outside and take the end colours.
export function limitsOf(maps, mode, curve) {
  const log = curve === "log", ranges = maps.map(rangeOf);
  const all = {
    least: Math.min(...ranges.map((range) => range.least)),
    most: Math.max(...ranges.map((range) => range.most)),
  };
  return maps.map((map, index) => {
    const own = ranges[index];
    const { low, high } = mode === "absolute" ? { low: log ? LEAST : 0, high: 1 }
      : mode === "percentile" ? endsOf(...percentilesOf(map), own, log)
      : endsOf(0, (mode === "shared" ? all : own).most, mode === "shared" ? all : own, log);
    return { low, high, log, clipped: own.bottom < low || own.most > high };
  });
}

// Limits of values of both signs, such as differences: 0 is the middle colour.
export function signedLimits(row, first, count) {
  let most = 0;
  for (let i = first; i < first + count; i++) most = Math.max(most, Math.abs(row[i]));
  return { low: -(most || 1), high: most || 1, log: false, clipped: false };
}

function rangeOf({ row, first, count }) {
  let bottom = Infinity, least = Infinity, most = 0;
  for (let i = first; i < first + count; i++) {
    const value = row[i];
    if (value < bottom) bottom = value;
    if (value > 0 && value < least) least = value;
    if (value > most) most = value;
  }
  return { bottom, least, most };
}

// Never an empty range, whatever the map holds: a map of zeros gets 1 as its upper end.
function endsOf(low, high, { least, most }, log) {
  high = high || most || 1;
  if (log) low = Math.max(low, most > 0 ? least : 0, LEAST * high);
  return low < high ? { low, high } : { low: log ? LEAST * high : 0, high };
}

function percentilesOf({ row, first, count }) {
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

// Where a colour bar carries numbers: { at from 0 to 1, value }, both ends and round numbers between, no two closer than
// 0.12; about `wanted` on a linear bar, every decade on a logarithmic one.
export function ticksOf(limits, wanted = 3) {
  const { low, high, log } = limits;
  const placed = (value) => ({ at: log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low), value });
  const ends = [{ at: 0, value: low }, { at: 1, value: high }];
  const between = log ? thinned(decadesOf(low, high).map(placed)) : linearTicks(low, high, wanted - 2, placed);
  return [ends[0], ...between, ends[1]];
}

function decadesOf(low, high) {
  const first = Math.ceil(Math.log10(low)), count = Math.max(0, Math.floor(Math.log10(high)) - first + 1);
  return Array.from({ length: count }, (_, i) => Number(`1e${first + i}`));
}

// Multiples of the coarsest of 1, 2, 5 · 10^n that gives at least `count` of them.
function linearTicks(low, high, count, placed) {
  if (count < 1) return [];
  let exponent = Math.ceil(Math.log10(high - low)), found = [];
  for (let tries = 0; found.length < count && tries < 9; tries++) {
    const digit = [5, 2, 1][tries % 3];
    if (tries % 3 === 0) exponent--;
    const step = Number(`${digit}e${exponent}`), first = Math.ceil(low / step);
    const multiples = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => roundTo((first + i) * step));
    found = thinned(multiples.map(placed));
  }
  return found;
}

function roundTo(value) {
  return Number(value.toPrecision(12)) + 0; // no -0
}

function thinned(ticks) {
  let last = 0;
  return ticks.filter(({ at }) => {
    const room = at - last >= 0.12 && at <= 0.88;
    if (room) last = at;
    return room;
  });
}

// A map enlarged by a whole factor, [rows · factor, cols · factor]: bicubic between patch centres, edges repeated, as
// OpenCV's INTER_CUBIC in the figures. It may go a little below 0 and above the greatest value.
export function smoothMap(row, first, rows, cols, factor, out = new Float32Array(rows * cols * factor * factor)) {
  const width = cols * factor, wide = new Float32Array(rows * width); // [rows, cols · factor]
  enlarge(row, first, { lines: rows, stride: cols }, { count: cols, step: 1 }, factor, wide, { stride: width, step: 1 });
  return enlarge(wide, 0, { lines: width, stride: 1 }, { count: rows, step: width }, factor, out, { stride: 1, step: width });
}

// One axis: `count` values, `step` apart, on each of `lines` that begin `stride` apart.
function enlarge(source, from, { lines, stride }, { count, step }, factor, out, to) {
  const last = count - 1;
  for (let i = 0; i < count * factor; i++) {
    const place = (i + 0.5) / factor - 0.5, base = Math.floor(place), [w0, w1, w2, w3] = cubicWeights(place - base);
    const [k0, k1, k2, k3] = [-1, 0, 1, 2].map((k) => from + step * Math.min(Math.max(base + k, 0), last));
    for (let line = 0, at = 0, put = i * to.step; line < lines; line++, at += stride, put += to.stride) {
      out[put] = w0 * source[k0 + at] + w1 * source[k1 + at] + w2 * source[k2 + at] + w3 * source[k3 + at];
    }
  }
  return out;
}

// Keys' cubic convolution with a = -0.75, OpenCV's.
function cubicWeights(x) {
  const near = (d) => (1.25 * d - 2.25) * d * d + 1, far = (d) => ((-0.75 * d + 3.75) * d - 6) * d + 3;
  return [far(1 + x), near(x), near(1 - x), far(2 - x)];
}
