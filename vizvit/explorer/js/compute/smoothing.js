// A map made larger with its values interpolated, not its colours.

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
