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

// Four rows of the matrix at a time, so that the sums are loaded and stored a quarter as often. Behind the last row it is
// the last again, of no weight.
function rowTimes(row, matrix) {
  const tokens = row.length, last = (tokens - 1) * tokens, sums = new Float64Array(tokens);
  for (let query = 0; query < tokens; query += 4) {
    const a = row[query], b = row[query + 1] ?? 0, c = row[query + 2] ?? 0, d = row[query + 3] ?? 0;
    if (a === 0 && b === 0 && c === 0 && d === 0) continue;
    const i = query * tokens, j = Math.min(i + tokens, last), k = Math.min(i + 2 * tokens, last), l = Math.min(i + 3 * tokens, last);
    for (let key = 0; key < tokens; key++) sums[key] += a * matrix[i + key] + b * matrix[j + key] + c * matrix[k + key] + d * matrix[l + key];
  }
  return Float32Array.from(sums);
}

function timesColumn(matrix, column) {
  const tokens = column.length, last = (tokens - 1) * tokens, out = new Float32Array(tokens);
  for (let query = 0; query < tokens; query += 4) {
    const i = query * tokens, j = Math.min(i + tokens, last), k = Math.min(i + 2 * tokens, last), l = Math.min(i + 3 * tokens, last);
    let a = 0, b = 0, c = 0, d = 0;
    for (let key = 0; key < tokens; key++) {
      const weight = column[key];
      a += matrix[i + key] * weight;
      b += matrix[j + key] * weight;
      c += matrix[k + key] * weight;
      d += matrix[l + key] * weight;
    }
    out.set([a, b, c, d].slice(0, tokens - query), query);
  }
  return out;
}
