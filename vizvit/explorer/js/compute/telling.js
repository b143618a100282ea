// Which patches are worth looking from first: those whose look tells most.

import { attentionRows, fuseHeads } from "./attention.js";

const LATTICE = 10; // patches tried along the longer side
const APART = 0.28; // of the longer side, between two of them

// `count` patches of a layer as tokens. What a patch's look tells is its Kullback-Leibler divergence from the mean look of
// all that are tried: how much is known of it once its query is. It counts by the attention that `home` pays to the patch.
export function tellingPatches(layer, { rows, cols, prefix }, home, count = 3) {
  const { tokens } = layer, step = Math.max(1, Math.round(Math.max(rows, cols) / LATTICE)), half = step >> 1;
  const paid = fuseHeads(attentionRows(layer, home), tokens, "mean");
  const tried = [], mean = new Float64Array(rows * cols);
  for (let row = half; row < rows; row += step) {
    for (let col = half; col < cols; col += step) {
      const token = prefix + row * cols + col, look = overPatches(fuseHeads(attentionRows(layer, token), tokens, "mean"), prefix);
      tried.push({ token, row, col, look, weight: neighbourhood(paid, row, col, rows, cols, prefix) });
      look.forEach((value, i) => (mean[i] += value));
    }
  }
  for (let i = 0; i < mean.length; i++) mean[i] /= tried.length;
  for (const one of tried) one.tells = one.weight * divergence(one.look, mean);
  const chosen = [], apart = APART * Math.max(rows, cols);
  for (const one of tried.sort((a, b) => b.tells - a.tells)) {
    if (chosen.length < count && chosen.every((other) => Math.hypot(one.row - other.row, one.col - other.col) >= apart)) chosen.push(one);
  }
  return chosen.map(({ token }) => token);
}

// A row over the patches alone.
function overPatches(row, prefix) {
  const patches = row.subarray(prefix), sum = patches.reduce((total, value) => total + value, 0);
  return patches.map((value) => (sum > 0 ? value / sum : 0));
}

// What is paid to the 3 × 3 patches around one: a single bright patch may be a sink.
function neighbourhood(paid, row, col, rows, cols, prefix) {
  const values = [];
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
    for (let c = Math.max(0, col - 1); c <= Math.min(cols - 1, col + 1); c++) values.push(paid[prefix + r * cols + c]);
  }
  return values.sort((a, b) => a - b)[values.length >> 1];
}

function divergence(look, mean) {
  return look.reduce((sum, value, i) => sum + (value > 0 ? value * Math.log(value / mean[i]) : 0), 0);
}
