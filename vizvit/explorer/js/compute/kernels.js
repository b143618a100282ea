// What a forward pass and a look at all queries spend their time on, as WebAssembly with 128-bit SIMD: matrix products,
// softmax, exponentials, GELU. All float32.

import { F32, I32, V128, assemble, f32, get, i32, repeat, set, v128 } from "./assembler.js";

export const ROWS = 4; // of a tile: ROWS × LANES accumulators, two columns and a factor fit into 16 registers
export const LANES = 8; // columns of a tile
export const DEPTH = 4; // steps along the sum that are written out: it is a multiple of this
const BIASED = 1.5 * 2 ** 23 + 127; // float32 has no fractions there, and 127 is the exponent of 1

// The module's bytes; it wants a memory as "env" "memory". product(a, b, c, bias, tiles, panels, depth, strideA, strideC):
// c = a · b + bias for tiles · ROWS rows and panels · LANES columns; b lies as packColumns of matrices.js leaves it; strides
// in bytes. softmax(at, end, width, count, stride, scale): each row of `count` numbers becomes softmax(scale · row), what
// follows up to `width`, a multiple of 4, zero. exponentials(at, end, width, count, totals): each of the rows, which follow
// one another, becomes exp(row - its greatest), and of each totals gets four numbers: the greatest, the exponentials' sum,
// the sum of exponential · (number - greatest). mean, max, min(at, end, to, factor): joins factor · row to what stands at `to`,
// by their sum, the greater or the lesser. gelu(at, end): in place, the exact one.
// Of two that do the same, the first is quicker, and the second for browsers that have no relaxed instructions.
export function kernelBytes() {
  return [v128.multiplyAdd, (a, b, c) => v128.add(v128.mul(a, b), c)].map((multiplyAdd) => assemble({
    product: product(multiplyAdd), softmax: softmax(multiplyAdd), exponentials: exponentials(multiplyAdd), gelu: gelu(multiplyAdd),
    mean: joining((sum, row, factor) => multiplyAdd(row, factor, sum)),
    max: joining((most, row, factor) => v128.max(most, v128.mul(row, factor))),
    min: joining((least, row, factor) => v128.min(least, v128.mul(row, factor))),
  }));
}

function product(multiplyAdd) {
  const [a, b, c, bias, tiles, panels, depth, strideA, strideC] = Array(9).keys();
  const rows = [...Array(ROWS).keys()], first = 9; // locals follow the parameters
  const from = rows.map((row) => first + row), [tile, rowA, rowC, at, end, to] = [...Array(6).keys()].map((i) => first + ROWS + i);
  const left = first + ROWS + 6, right = left + 1, factor = left + 2, sums = rows.map((row) => [factor + 1 + 2 * row, factor + 2 + 2 * row]);
  const advance = (local, by) => set(local, i32.add(get(local), by));
  const step = (number) => [
    set(left, v128.load(get(at), 32 * number)),
    set(right, v128.load(get(at), 32 * number + 16)),
    rows.map((row) => [
      set(factor, v128.splatFrom(get(from[row]), 4 * number)),
      set(sums[row][0], multiplyAdd(get(factor), get(left), get(sums[row][0]))),
      set(sums[row][1], multiplyAdd(get(factor), get(right), get(sums[row][1]))),
    ]),
  ];
  const oneTile = [
    rows.map((row) => [
      set(from[row], row ? i32.add(get(from[row - 1]), get(strideA)) : get(rowA)),
      set(sums[row][0], v128.load(get(bias))),
      set(sums[row][1], v128.load(get(bias), 16)),
    ]),
    set(at, get(b)),
    repeat([
      [...Array(DEPTH).keys()].map(step),
      rows.map((row) => advance(from[row], i32.const(4 * DEPTH))),
      advance(at, i32.const(32 * DEPTH)),
    ], i32.less(get(at), get(end))),
    set(to, get(rowC)),
    rows.map((row) => [
      v128.store(get(to), get(sums[row][0])), v128.store(get(to), get(sums[row][1]), 16), advance(to, get(strideC)),
    ]),
    advance(rowA, i32.mul(get(strideA), i32.const(ROWS))),
    advance(rowC, i32.mul(get(strideC), i32.const(ROWS))),
    advance(tile, i32.const(1)),
  ];
  const onePanel = [
    set(end, i32.add(get(b), i32.mul(get(depth), i32.const(4 * LANES)))),
    set(rowA, get(a)), set(rowC, get(c)), set(tile, i32.const(0)),
    repeat(oneTile, i32.less(get(tile), get(tiles))),
    set(b, get(end)),
    advance(c, i32.const(4 * LANES)), advance(bias, i32.const(4 * LANES)), advance(panels, i32.const(-1)),
  ];
  return {
    params: Array(9).fill(I32),
    locals: [...Array(ROWS + 6).fill(I32), ...Array(3 + 2 * ROWS).fill(V128)],
    code: [repeat(onePanel, get(panels))],
  };
}

function softmax(multiplyAdd) {
  const [at, end, width, count, stride, scale, ...locals] = Array(14).keys(), [x, limit, tail, most, sum, value, n, factor] = locals;
  const row = [
    rowOfExponentials({ at, width, count, x, limit, tail, most, sum, value, n }, multiplyAdd, v128.splat(get(scale))),
    set(factor, v128.splat(f32.div(f32.const(1), lanesOf(sum, f32.add)))),
    across({ at, x, limit }, v128.store(get(x), v128.mul(v128.load(get(x)), get(factor)))),
    set(at, i32.add(get(at), get(stride))),
  ];
  return {
    params: [I32, I32, I32, I32, I32, F32],
    locals: [I32, I32, I32, V128, V128, V128, V128, V128],
    code: [repeat(row, i32.less(get(at), get(end)))],
  };
}

function exponentials(multiplyAdd) {
  const [at, end, width, count, totals, x, limit, tail, most, sum, value, n, above, weighted] = Array(14).keys();
  const row = [
    set(weighted, v128.all(0)),
    rowOfExponentials({ at, width, count, x, limit, tail, most, sum, value, n }, multiplyAdd, null, {
      before: set(above, v128.max(get(value), v128.all(-88))), // what is masked is infinitely far below
      after: set(weighted, multiplyAdd(get(value), get(above), get(weighted))),
    }),
    f32.store(get(totals), v128.lane(get(most), 0)),
    f32.store(get(totals), lanesOf(sum, f32.add), 4),
    f32.store(get(totals), lanesOf(weighted, f32.add), 8),
    set(totals, i32.add(get(totals), i32.const(16))),
    set(at, get(limit)),
  ];
  return {
    params: [I32, I32, I32, I32, I32],
    locals: [I32, I32, I32, V128, V128, V128, V128, V128, V128],
    code: [repeat(row, i32.less(get(at), get(end)))],
  };
}

function joining(join) {
  const [at, end, to, factor] = Array(4).keys(), four = (local) => set(local, i32.add(get(local), i32.const(16)));
  return {
    params: [I32, I32, I32, F32],
    locals: [],
    code: [repeat([
      v128.store(get(to), join(v128.load(get(to)), v128.load(get(at)), v128.splat(get(factor)))), four(at), four(to),
    ], i32.less(get(at), get(end)))],
  };
}

// A row becomes e^(factor · (x - its greatest)), in place; `most` is the greatest in all lanes, `sum` what adds up to their
// sum. before, after: what else is done while `value` is factor · (x - most), and when it is the exponential.
function rowOfExponentials({ at, width, count, x, limit, tail, most, sum, value, n }, multiplyAdd, factor, { before = [], after = [] } = {}) {
  const above = v128.sub(v128.load(get(x)), get(most));
  return [
    set(limit, i32.add(get(at), i32.mul(get(width), i32.const(4)))),
    // What stands behind the row takes no part, as what is masked.
    set(tail, i32.add(get(at), i32.mul(get(count), i32.const(4)))),
    [0x02, 0x40, [get(tail), get(limit), 0x4f, 0x0d, 0x00], repeat([ // 0x4f: not less
      f32.store(get(tail), f32.const(-Infinity)), set(tail, i32.add(get(tail), i32.const(4))),
    ], i32.less(get(tail), get(limit))), 0x0b],
    set(most, v128.all(-3e38)),
    across({ at, x, limit }, set(most, v128.max(get(most), v128.load(get(x))))),
    set(most, v128.splat(lanesOf(most, f32.max))),
    set(sum, v128.all(0)),
    across({ at, x, limit }, [
      set(value, factor ? v128.mul(above, factor) : above),
      before,
      exponential(get(value), value, n, multiplyAdd),
      v128.store(get(x), get(value)),
      set(sum, v128.add(get(sum), get(value))),
      after,
    ]),
  ];
}

function across({ at, x, limit }, body) {
  return [set(x, get(at)), repeat([body, set(x, i32.add(get(x), i32.const(16)))], i32.less(get(x), get(limit)))];
}

function lanesOf(value, join) {
  return [1, 2, 3].reduce((all, lane) => join(all, v128.lane(get(value), lane)), v128.lane(get(value), 0));
}

// e^x into `value`, for x of 0 and below, by 2^n · e^r with |r| <= ln 2 / 2 and the polynomial of Moshier's Cephes library
// (expf); at -88 and below it is 0. As float32, x / ln 2 + BIASED is rounded to the whole number n + BIASED, whose last bits
// are the exponent of 2^n.
function exponential(x, value, n, multiplyAdd) {
  const polynomial = [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]
    .reduce((sum, term) => multiplyAdd(sum, get(value), v128.all(term)), v128.all(1.9875691500e-4));
  const whole = v128.sub(get(n), v128.all(BIASED));
  return [
    set(value, v128.max(x, v128.all(-88))),
    set(n, multiplyAdd(get(value), v128.all(Math.LOG2E), v128.all(BIASED))),
    set(value, multiplyAdd(whole, v128.all(-0.693359375), get(value))),
    set(value, multiplyAdd(whole, v128.all(2.12194440e-4), get(value))),
    set(value, v128.add(multiplyAdd(polynomial, v128.mul(get(value), get(value)), get(value)), v128.all(1))),
    set(value, v128.mul(get(value), v128.shift(get(n), 23))),
  ];
}

// x/2 · (1 + erf(x / √2)), with erf as Abramowitz & Stegun, 7.1.26: within 1.5e-7.
function gelu(multiplyAdd) {
  const [at, end, x, z, t, value, n] = Array(7).keys();
  const polynomial = [-1.453152027, 1.421413741, -0.284496736, 0.254829592]
    .reduce((sum, term) => multiplyAdd(sum, get(t), v128.all(term)), v128.all(1.061405429));
  const tail = v128.mul(v128.mul(polynomial, get(t)), get(value)); // 1 - erf(|z|)
  return {
    params: [I32, I32],
    locals: [V128, V128, V128, V128, V128],
    code: [repeat([
      set(x, v128.load(get(at))),
      set(z, v128.mul(v128.abs(get(x)), v128.all(Math.SQRT1_2))),
      set(t, v128.div(v128.all(1), multiplyAdd(get(z), v128.all(0.3275911), v128.all(1)))),
      exponential(v128.neg(v128.mul(get(z), get(z))), value, n, multiplyAdd),
      // x/2 + |x|/2 · erf(|z|)
      set(z, v128.mul(v128.sub(v128.all(1), tail), v128.abs(get(x)))),
      v128.store(get(at), v128.mul(v128.add(get(x), get(z)), v128.all(0.5))),
      set(at, i32.add(get(at), i32.const(16))),
    ], i32.less(get(at), get(end)))],
  };
}
