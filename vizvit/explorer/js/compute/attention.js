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

// What every head of a layer attends to one key token with, from every query: [head, query]. `lse` is the logarithm
// of each row's sum of exponentials, [head, query], as surveyLayer finds it.
export function attentionColumns(layer, token, lse, out = new Float32Array(layer.heads * layer.tokens)) {
  const { heads, tokens, dim, scale, queries, keys, bias, biasHeads } = layer;
  const vector = new Float64Array(dim);
  for (let head = 0; head < heads; head++) {
    const start = head * tokens, from = (start + token) * dim;
    for (let i = 0; i < dim; i++) vector[i] = keys[from + i] * scale;
    const biasColumn = bias ? (biasHeads === 1 ? 0 : head) * tokens * tokens + token : 0;
    for (let query = 0; query < tokens; query++) {
      let score = dot(vector, queries, (start + query) * dim, dim);
      if (bias) score += bias[biasColumn + query * tokens];
      out[start + query] = score === -Infinity ? 0 : Math.exp(score - lse[start + query]);
    }
  }
  return out;
}

// What reads a layer token by token into `out`: its rows, or its columns where their `lse` is given.
export function readerOf(layer, lse) {
  return (token, out) => (lse ? attentionColumns(layer, token, lse, out) : attentionRows(layer, token, out));
}

// Heads in one, [head, token] -> [token]: "mean", "max" or "min".
export function fuseHeads(rows, tokens, how, out = new Float32Array(tokens)) {
  const pick = how === "max" ? Math.max : how === "min" ? Math.min : (a, b) => a + b;
  out.set(rows.subarray(0, tokens));
  for (let at = tokens; at < rows.length; at += tokens) {
    for (let i = 0; i < tokens; i++) out[i] = pick(out[i], rows[at + i]);
  }
  if (how === "mean") for (let i = 0; i < tokens; i++) out[i] /= rows.length / tokens;
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

// One attention value step by step, in double precision: product · scale = scaled, scaled + bias = score,
// exp(score - highest) = exponential, exponential / sum = attention. `product` is the true q·k. `bias` is what was sent:
// less the mean of its row's finite entries, which moves every score of the row alike; 0 where the model has none.
export function scoreTerms(layer, head, query, key) {
  const { tokens, dim, scale, queries, keys, keyMean, bias, biasHeads } = layer;
  const vector = Float64Array.from(queries.subarray((head * tokens + query) * dim, (head * tokens + query + 1) * dim));
  const mean = dot(vector, keyMean, head * dim, dim);
  const biasRow = ((biasHeads === 1 ? 0 : head) * tokens + query) * tokens;
  const products = new Float64Array(tokens), scores = new Float64Array(tokens);
  let highest = -Infinity, sum = 0;
  for (let k = 0; k < tokens; k++) {
    products[k] = dot(vector, keys, (head * tokens + k) * dim, dim) + mean;
    scores[k] = products[k] * scale + (bias ? bias[biasRow + k] : 0);
    if (scores[k] > highest) highest = scores[k];
  }
  const masked = highest === -Infinity;
  for (let k = 0; k < tokens && !masked; k++) sum += Math.exp(scores[k] - highest);
  const exponential = masked ? 0 : Math.exp(scores[key] - highest);
  return {
    product: products[key], scale, scaled: products[key] * scale, bias: bias ? bias[biasRow + key] : 0, score: scores[key],
    highest, exponential, sum, attention: masked ? 0 : exponential / sum,
  };
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

// How far one query patch looks, in pixels: distances between patch centres, weighted by its row over the patches alone.
export function meanDistance(row, prefix, rows, cols, patchSize, fromToken) {
  const fromRow = Math.floor((fromToken - prefix) / cols), fromCol = (fromToken - prefix) % cols;
  let weighted = 0, sum = 0;
  for (let r = 0, i = prefix; r < rows; r++) {
    for (let c = 0; c < cols; c++, i++) {
      weighted += row[i] * Math.hypot(r - fromRow, c - fromCol);
      sum += row[i];
    }
  }
  return sum > 0 ? (weighted / sum) * patchSize : 0;
}

// How much of a row lies on prefix tokens.
export function prefixPart(row, prefix) {
  const all = shareOf(row, row.length);
  return all > 0 ? shareOf(row, prefix) / all : 0;
}
