// A picture resized and cropped as Pillow and torchvision do it for timm's evaluation, byte for byte.

const PRECISION = 22; // bits behind the point of Pillow's weights for 8-bit pictures

const FILTERS = {
  bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
  bicubic: [2, (x) => {
    const a = -0.5, r = Math.abs(x);
    if (r < 1) return ((a + 2) * r - (a + 3)) * r * r + 1;
    return r < 2 ? (((r - 5) * r + 8) * r - 4) * a : 0;
  }],
  lanczos: [3, (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0)],
};

function sinc(x) {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

// What the model sees of a picture. picture: { data: RGBA bytes, width, height }; model: rows, cols, patch_size and
// `resize` as vizvit/model/plain.py describes it. Returns RGB bytes, [rows · patch, cols · patch, 3].
export function viewOf(picture, { resize, rows, cols, patch_size: patch }) {
  const [width, height] = resizedSize(picture, resize), [cropHeight, cropWidth] = resize.crop;
  const left = roundToEven((width - cropWidth) / 2), top = roundToEven((height - cropHeight) / 2);
  return resizedPart(picture, width, height, { left, top, width: cols * patch, height: rows * patch }, resize);
}

function resizedSize({ width, height }, { way, width: wide, height: high }) {
  if (way === "whole") return [wide, high];
  if (way === "cover") {
    const ratio = Math.min(height / high, width / wide);
    return [roundToEven(width / ratio), roundToEven(height / ratio)];
  }
  return width <= height ? [high, Math.trunc((high * height) / width)] : [Math.trunc((high * width) / height), high];
}

// As Python's round.
function roundToEven(x) {
  const down = Math.floor(x);
  return x - down === 0.5 ? down + (down % 2) : Math.round(x);
}

// A part of the resized picture, without the rest of it: along rows and along columns, with 8 bits between. Columns come
// first where Pillow has them first, from its version 13 on, for pictures that lose most of their height.
function resizedPart({ data, width, height }, wide, high, part, { filter, tall_first: tallFirst }) {
  const across = weightsOf(width, wide, part.left, part.width, filter), down = weightsOf(height, high, part.top, part.height, filter);
  const source = { data, step: 4, row: 4 * width };
  if (tallFirst && high < height && height - high > 2 * (width - wide)) {
    const [first, last] = spanOf(across);
    return alongRows(alongColumns({ ...source, data: data.subarray(4 * first) }, last - first, down), part.height, shifted(across, first)).data;
  }
  const [first, last] = spanOf(down);
  return alongColumns(alongRows({ ...source, data: data.subarray(source.row * first) }, last - first, across), part.width, shifted(down, first)).data;
}

// The first and the last place, exclusive, that weights read.
function spanOf({ starts, counts }) {
  return [Math.min(...starts), Math.max(...starts.map((start, i) => start + counts[i]))];
}

function shifted(weights, by) {
  return { ...weights, starts: weights.starts.map((start) => start - by) };
}

// step and row: bytes from a pixel to the next, and from a row to the next.
function alongRows({ data, step, row }, rows, weights) {
  const width = weights.starts.length, out = new Uint8Array(rows * width * 3);
  for (let y = 0, to = 0; y < rows; y++) {
    for (let x = 0; x < width; x++, to += 3) blend(weights, x, data, y * row + weights.starts[x] * step, step, out, to);
  }
  return { data: out, step: 3, row: 3 * width };
}

function alongColumns({ data, step, row }, width, weights) {
  const out = new Uint8Array(weights.starts.length * width * 3);
  for (let y = 0, to = 0; y < weights.starts.length; y++) {
    for (let x = 0; x < width; x++, to += 3) blend(weights, y, data, weights.starts[y] * row + x * step, row, out, to);
  }
  return { data: out, step: 3, row: 3 * width };
}

function blend({ weights, counts, most }, place, source, from, step, target, to) {
  let red = 1 << (PRECISION - 1), green = red, blue = red;
  for (let i = 0, w = place * most, at = from; i < counts[place]; i++, w++, at += step) {
    red += source[at] * weights[w];
    green += source[at + 1] * weights[w];
    blue += source[at + 2] * weights[w];
  }
  target[to] = clipped(red >> PRECISION);
  target[to + 1] = clipped(green >> PRECISION);
  target[to + 2] = clipped(blue >> PRECISION);
}

function clipped(value) {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

// Pillow's weights (src/libImaging/Resample.c) for `count` places of the resized side from `from` on. Where the side
// stays as it is, each place is itself.
function weightsOf(given, wanted, from, count, filter) {
  const [reach, curve] = FILTERS[filter], scale = given / wanted, wide = Math.max(scale, 1), support = reach * wide;
  const most = Math.ceil(support) * 2 + 1, starts = [], counts = [], weights = new Int32Array(count * most);
  for (let place = 0; place < count; place++) {
    const centre = (from + place + 0.5) * scale;
    const start = given === wanted ? from + place : Math.max(0, Math.trunc(centre - support + 0.5));
    const end = given === wanted ? start + 1 : Math.min(given, Math.trunc(centre + support + 0.5));
    const row = Array.from({ length: end - start }, (_, i) => curve((i + start - centre + 0.5) / wide));
    const sum = given === wanted ? row[0] : row.reduce((all, one) => all + one, 0);
    row.forEach((weight, i) => {
      const share = (sum ? weight / sum : weight) * 2 ** PRECISION;
      weights[place * most + i] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    });
    starts.push(start);
    counts.push(end - start);
  }
  return { starts, counts, weights, most };
}

// The patches of a view, normalised: [patch, channel · y · x] as the embedding reads them.
export function patchesOf(view, { rows, cols, patch_size: patch, mean, std }) {
  const out = new Float32Array(rows * cols * patch * patch * 3), width = cols * patch;
  for (let row = 0, at = 0; row < rows; row++) for (let col = 0; col < cols; col++) for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < patch; y++) for (let x = 0; x < patch; x++) {
      const value = view[((row * patch + y) * width + col * patch + x) * 3 + channel];
      out[at++] = (value / 255 - mean[channel]) / std[channel];
    }
  }
  return out;
}
