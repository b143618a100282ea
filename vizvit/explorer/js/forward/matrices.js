// Matrices in the kernels' memory, row by row, and the products between them.

import { DEPTH, LANES, ROWS, kernelBytes } from "../compute/kernels.js";
import { readyKernels } from "../compute/sweep.js";

const PAGE = 65536; // bytes by which WebAssembly's memory grows

export function upTo(count, multiple) {
  return Math.ceil(count / multiple) * multiple;
}

// A place where matrices are made; what is taken is never given back.
export function createMatrices() {
  const kernels = readyKernels({ modules: kernelBytes() }), { memory } = kernels;
  let used = 16;

  // Room for [rows, cols], zero, as { at, rows, cols, stride, values }: `at` is in bytes, `stride` in numbers, and
  // values() gives the numbers, [rows rounded up, stride], which are good until more room is taken.
  function room(rows, cols, multiple = LANES) {
    const stride = upTo(cols, multiple), count = upTo(rows, ROWS) * stride, at = used;
    used += upTo(4 * count, 16);
    const missing = used - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return { at, rows, cols, stride, values: () => new Float32Array(memory.buffer, at, count) };
  }

  // Room for the right-hand side of a product, [depth, cols], in panels of LANES columns, with a bias of zero.
  function columns(depth, cols) {
    const held = room(1, upTo(depth, DEPTH) * upTo(cols, LANES), 1), bias = room(1, cols);
    return { ...held, depth, cols, depthHeld: upTo(depth, DEPTH), bias };
  }

  // y = x · Wᵀ + b as a right-hand side; weight: [out, in], bias: [out] or null, scale: of each output, or null.
  function linear({ weight, bias, out, into }, scale = null) {
    const packed = columns(into, out);
    packColumns(packed, (output, input) => weight[output * into + input] * (scale ? scale[output] : 1));
    const values = packed.bias.values();
    for (let i = 0; bias && i < out; i++) values[i] = bias[i] * (scale ? scale[i] : 1);
    return packed;
  }

  // result = left · right + bias; `from` and `to` are where in the rows of left and result it begins.
  function multiply(left, right, result, { from = 0, to = 0 } = {}) {
    kernels.product(left.at + 4 * from, right.at, result.at + 4 * to, right.bias.at, upTo(left.rows, ROWS) / ROWS,
      upTo(right.cols, LANES) / LANES, right.depthHeld, 4 * left.stride, 4 * result.stride);
  }

  function softmaxRows({ at, rows, cols, stride }, scale) {
    kernels.softmax(at, at + 4 * rows * stride, stride, cols, 4 * stride, scale);
  }

  function geluAll({ at, rows, stride }) {
    kernels.gelu(at, at + 4 * rows * stride);
  }

  return { room, columns, linear, multiply, softmaxRows, geluAll };
}

// Fills a right-hand side: valueAt(column, step along the sum).
export function packColumns({ values, depth, depthHeld, cols }, valueAt) {
  const panels = values();
  for (let col = 0; col < cols; col++) {
    for (let step = 0, at = (col - (col % LANES)) * depthHeld + (col % LANES); step < depth; step++, at += LANES) panels[at] = valueAt(col, step);
  }
}
