// Attention from queries and keys: softmax(q·kᵀ·scale + bias), one row a head.

// What every head of a layer attends to from one query token: [head, key].
export function attentionRows(layer, token, out = new Float32Array(layer.heads * layer.tokens)) {
  const { heads, tokens, dim, scale, queries, keys, bias, biasHeads } = layer;
  const query = new Float64Array(dim);
  for (let head = 0; head < heads; head++) {
    const from = (head * tokens + token) * dim;
    for (let i = 0; i < dim; i++) query[i] = queries[from + i] * scale;
    const start = head * tokens;
    const biasRow = bias ? ((biasHeads === 1 ? 0 : head) * tokens + token) * tokens : 0;
    let highest = -Infinity;
    for (let key = 0; key < tokens; key++) {
      let score = dot(query, keys, (start + key) * dim, dim);
      if (bias) score += bias[biasRow + key];
      if (score > highest) highest = score;
      out[start + key] = score;
    }
    softmaxInPlace(out, start, tokens, highest);
  }
  return out;
}

function dot(query, keys, at, dim) {
  let a = 0, b = 0, i = 0;
  for (; i + 1 < dim; i += 2) {
    a += query[i] * keys[at + i];
    b += query[i + 1] * keys[at + i + 1];
  }
  return i < dim ? a + b + query[i] * keys[at + i] : a + b;
}

function softmaxInPlace(row, start, count, highest) {
  if (highest === -Infinity) return row.fill(0, start, start + count); // everything masked
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += row[i] = Math.exp(row[i] - highest);
  for (let i = start; i < start + count; i++) row[i] /= sum;
  return row;
}

// The mean over heads of [head, key] rows: [key].
export function meanOfHeads(rows, tokens, out = new Float32Array(tokens)) {
  const heads = rows.length / tokens;
  out.fill(0);
  for (let i = 0; i < rows.length; i++) out[i % tokens] += rows[i];
  for (let i = 0; i < tokens; i++) out[i] /= heads;
  return out;
}

// The raw product of one query and one key, before scale and bias, with the mean that the sent keys lack.
export function rawScore(layer, head, token, key) {
  const { tokens, dim, queries, keys, keyMean } = layer;
  const q = (head * tokens + token) * dim, k = (head * tokens + key) * dim, m = head * dim;
  let score = 0;
  for (let i = 0; i < dim; i++) score += queries[q + i] * (keys[k + i] + keyMean[m + i]);
  return score;
}

// Shannon entropy of a row in nats; 0 to ln(tokens).
export function entropy(row) {
  let sum = 0;
  for (const p of row) if (p > 0) sum -= p * Math.log(p);
  return sum;
}

export function shareOf(row, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += row[i];
  return sum;
}

// The index of the greatest entry from `start` on.
export function peakOf(row, start = 0) {
  let best = start;
  for (let i = start + 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

// 1 for the most attended token.
export function rankOf(row, token) {
  let rank = 1;
  for (const p of row) if (p > row[token]) rank++;
  return rank;
}
