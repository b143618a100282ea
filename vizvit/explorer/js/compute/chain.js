// Attention rollout in the browser: Ã = rownorm(residual·I + (1 - residual)·fused), R = Ã_L … Ã_1, read in a token's row
// or column as chains of vector-matrix products. Definitions and source: vizvit/analysis/rollout.py.

// Ã of one layer, from its fused attention [query, key], of which each row begins `stride` numbers after the one before.
export function normalised(fused, tokens, residual = 0.5, stride = tokens) {
  const matrix = new Float32Array(tokens * tokens);
  for (let query = 0, at = 0, from = 0; query < tokens; query++, at += tokens, from += stride) {
    let sum = 0;
    for (let key = 0; key < tokens; key++) sum += fused[from + key];
    const total = residual + (1 - residual) * sum, factor = total > 0 ? 1 / total : 0, share = (1 - residual) * factor;
    for (let key = 0; key < tokens; key++) matrix[at + key] = fused[from + key] * share;
    matrix[at + query] += residual * factor;
  }
  return matrix;
}

// What reaches a query through all layers, R's row: [token]. matrices: Ã of each layer, the first layer first;
// vector: the query as weights over tokens, or a token's index.
export function flowRow(matrices, vector) {
  return matrices.reduceRight(rowTimes, weightsOver(vector, matrices[0]));
}

// Where a token flows to through all layers, R's column: [token]; of weights, the sum of such columns.
export function flowColumn(matrices, vector) {
  return matrices.reduce((column, matrix) => timesColumn(matrix, column), weightsOver(vector, matrices[0]));
}

// The chain up to each layer, inclusive: [layer] of [token]. "from": rows, as vizvit.rollout_steps; "to": columns.
export function flowSteps(matrices, vector, direction) {
  if (direction === "from") return matrices.map((_, layer) => flowRow(matrices.slice(0, layer + 1), vector));
  let column = weightsOver(vector, matrices[0]);
  return matrices.map((matrix) => (column = timesColumn(matrix, column)));
}

// What each layer after the first changed in the chain: [layer] of [token], null for the first.
export function flowChanges(steps) {
  return steps.map((step, layer) => (layer ? step.map((value, token) => value - steps[layer - 1][token]) : null));
}

function weightsOver(vector, matrix) {
  if (typeof vector !== "number") return vector;
  const weights = new Float32Array(Math.sqrt(matrix.length));
  weights[vector] = 1;
  return weights;
}

function rowTimes(row, matrix) {
  const tokens = row.length, sums = new Float64Array(tokens);
  for (let query = 0; query < tokens; query++) {
    const weight = row[query];
    if (weight === 0) continue;
    for (let key = 0, at = query * tokens; key < tokens; key++) sums[key] += weight * matrix[at + key];
  }
  return Float32Array.from(sums);
}

function timesColumn(matrix, column) {
  const tokens = column.length, out = new Float32Array(tokens);
  for (let query = 0, at = 0; query < tokens; query++) {
    let sum = 0;
    for (let key = 0; key < tokens; key++, at++) sum += matrix[at] * column[key];
    out[query] = sum;
  }
  return out;
}
