// From the picture to one vector a patch: flattened, and projected by E (vizvit/walk/pixels.py).

import { principalAxes } from "../forward/components.js";
import { apartOf, linearOf, rowOf } from "./formulas.js";

const KERNELS = 28; // components of them

// pixels: RGB bytes [P, P, 3]; values [3 · P · P], channel by channel.
export function flatten({ model, view, pixels }, { row, col }) {
  const { patch_size: size, cols, mean, std } = model, count = size * size, bytes = new Uint8Array(count * 3);
  const values = rowOf(pixels, row * cols + col, 3 * count), byHand = new Float64Array(3 * count);
  for (let y = 0, at = 0; y < size; y++) for (let x = 0; x < size; x++) for (let channel = 0; channel < 3; channel++, at++) {
    bytes[at] = view[((row * size + y) * cols * size + col * size + x) * 3 + channel];
    byHand[channel * count + y * size + x] = (bytes[at] / 255 - mean[channel]) / std[channel];
  }
  return { pixels: bytes, values: values.slice(), difference: apartOf([byHand, values]) };
}

// values: the patch as numbers; vector: the model's [dim]; byMatrix: the patch's numbers times E, plus the bias; byConvolution: the kernel laid on the
// whole picture at the patch, colour by colour.
export function embedding(a, { row, col }) {
  const { model, tensors, pixels, found } = a, { patch_size: size, cols, dim } = model, patch = row * cols + col;
  const values = rowOf(pixels, patch, 3 * size * size), byMatrix = linearOf(values, tensors, "patch"), vector = rowOf(found.embedded, patch, dim);
  const byConvolution = new Float64Array(dim), kernels = tensors["patch.weight"], bias = tensors["patch.bias"];
  for (let out = 0; out < dim; out++) {
    for (let channel = 0; channel < 3; channel++) for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
      byConvolution[out] += colourAt(a, row * size + y, col * size + x, channel) * kernels[((out * 3 + channel) * size + y) * size + x];
    }
    if (bias) byConvolution[out] += bias[out];
  }
  return { values: values.slice(), vector: vector.slice(), byMatrix, byConvolution, difference: apartOf([byMatrix, vector]), apart: apartOf([byConvolution, byMatrix]) };
}

function colourAt({ model, view }, y, x, channel) {
  return (view[(y * model.cols * model.patch_size + x) * 3 + channel] / 255 - model.mean[channel]) / model.std[channel];
}

// The first principal components of the kernels as RGB tiles, [n] of [P, P, 3] in 0..1, 0.5 for zero: see
// vizvit/analysis/filters.py.
export function filtersOf({ model, tensors }) {
  const { patch_size: size, dim } = model, width = 3 * size * size;
  const axes = principalAxes(tensors["patch.weight"], dim, width, Math.min(KERNELS, dim, width));
  return axes.map((axis) => {
    const peak = axis.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    const tile = new Float32Array(width);
    for (let at = 0; at < width; at++) tile[(at % (size * size)) * 3 + Math.floor(at / (size * size))] = 0.5 + (0.5 * axis[at]) / peak;
    return tile;
  });
}
