// One pass over a whole layer, every query of every head, without ever holding [head, query, key].
//
// Scores are made for four queries and three keys at a time, in double precision: so many that the products outweigh
// the loads, and few enough for the registers. Functions here go to a worker as text: they use one another alone.

// What a layer's heads do, from all queries; geometry: { rows, cols, patch_size, prefix }.
// { lse [head, query]: logarithm of each row's sum of exponentials, of the scores as sent (keys and bias centred),
//   received [head, key]: mean over all queries of the attention to that key,
//   distance [head]: mean attention distance of the patches in pixels, as vizvit.attention_distance,
//   entropy [head]: mean over all queries in nats, prefixShare [head]: mean over patch queries,
//   sinks: a list for each head, as sinksOf }
export function surveyLayer(layer, geometry) {
  const { heads, tokens } = layer, { rows, cols, patch_size: size, prefix } = geometry, patches = rows * cols;
  const work = sweepWork(layer), span = 2 * cols - 1, between = new Float64Array((2 * rows - 1) * span);
  for (let i = 0; i < between.length; i++) {
    between[i] = size * Math.hypot(Math.floor(i / span) - rows + 1, (i % span) - cols + 1);
  }
  const lse = new Float64Array(heads * tokens), received = new Float32Array(heads * tokens);
  const [distance, entropy, prefixShare] = [0, 0, 0].map(() => new Float32Array(heads));
  const total = new Float64Array(tokens);
  for (let head = 0; head < heads; head++) {
    let far = 0, spread = 0, toPrefix = 0;
    total.fill(0);
    sweepHead(layer, head, work, (query, at, highest, sum, weighted) => {
      const values = work.rows, share = sum > 0 ? 1 / sum : 0;
      lse[head * tokens + query] = highest + Math.log(sum);
      if (sum > 0) spread += Math.log(sum) - weighted / sum;
      for (let key = 0; key < tokens; key++) total[key] += values[at + key] * share;
      if (query < prefix) return;
      let onPrefix = 0, onPatches = 0, path = 0;
      for (let key = 0; key < prefix; key++) onPrefix += values[at + key];
      toPrefix += onPrefix * share;
      const row = Math.floor((query - prefix) / cols), col = (query - prefix) % cols;
      for (let r = 0, i = at + prefix; r < rows; r++) {
        let there = (r - row + rows - 1) * span + cols - 1 - col;
        for (const end = i + cols; i < end; i++, there++) {
          onPatches += values[i];
          path += values[i] * between[there];
        }
      }
      if (onPatches > 0) far += path / onPatches;
    });
    for (let key = 0; key < tokens; key++) received[head * tokens + key] = total[key] / tokens;
    distance[head] = far / patches;
    entropy[head] = spread / tokens;
    prefixShare[head] = toPrefix / patches;
  }
  return { lse, received, distance, entropy, prefixShare, sinks: sinksOf(received, tokens) };
}

// A layer's attention with the heads fused by "mean", "max" or "min": [query, key].
export function fusedLayer(layer, how) {
  const { heads, tokens } = layer, work = sweepWork(layer), fused = new Float32Array(tokens * tokens);
  for (let head = 0; head < heads; head++) {
    sweepHead(layer, head, work, (query, at, highest, sum) => {
      const values = work.rows, share = sum > 0 ? 1 / sum : 0, part = share / heads, to = query * tokens;
      if (how === "mean") {
        for (let key = 0; key < tokens; key++) fused[to + key] += values[at + key] * part;
      } else if (head === 0) {
        for (let key = 0; key < tokens; key++) fused[to + key] = values[at + key] * share;
      } else if (how === "max") {
        for (let key = 0; key < tokens; key++) fused[to + key] = Math.max(fused[to + key], values[at + key] * share);
      } else {
        for (let key = 0; key < tokens; key++) fused[to + key] = Math.min(fused[to + key], values[at + key] * share);
      }
    });
  }
  return fused;
}

// Tokens that draw far more attention than their share, for each head of `received` [head, key], the greatest first:
// { token, share of all attention, times its even share }. By the rule of vizvit.attention_sinks: above what the greatest
// of so many values would reach by chance, and at least twice the even share.
export function sinksOf(received, tokens) {
  return Array.from({ length: received.length / tokens }, (_, head) => {
    const shares = Array.from(received.subarray(head * tokens, (head + 1) * tokens));
    const logs = Float64Array.from(shares, (share) => Math.log(Math.max(share, 2 ** -126)));
    const centre = medianOf(logs), spread = 1.4826 * medianOf(logs.map((value) => Math.abs(value - centre)));
    const limit = centre + spread * Math.sqrt(2 * Math.log(tokens));
    return shares
      .map((share, token) => ({ token, share, times: share * tokens }))
      .filter(({ token, times }) => logs[token] > limit && times >= 2)
      .sort((a, b) => b.share - a.share);
  });
}

export function medianOf(values) {
  const sorted = values.slice().sort(), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function sweepWork({ tokens, dim }) {
  const stride = 3 * Math.ceil(tokens / 3);
  return {
    stride,
    queries: new Float64Array(4 * Math.ceil(tokens / 4) * dim),
    keys: new Float64Array(stride * dim),
    rows: new Float64Array(4 * stride), // four queries by all keys
    totals: new Float64Array(3),
  };
}

// Calls visit(query, at, highest, sum, weighted) for each query of a head: the exponentials exp(score - highest) of its
// row stand in work.rows from `at` on, `sum` is their sum and `weighted` that of exponential · (score - highest).
export function sweepHead(layer, head, work, visit) {
  const { tokens, dim, scale, bias, biasHeads } = layer, { stride, rows, totals } = work;
  packPanels(layer.queries, head * tokens * dim, tokens, dim, 4, scale, work.queries);
  packPanels(layer.keys, head * tokens * dim, tokens, dim, 3, 1, work.keys);
  const biasHead = (biasHeads === 1 ? 0 : head) * tokens;
  for (let first = 0; first < tokens; first += 4) {
    scorePanel(work.queries, first * dim, work.keys, dim, stride, rows);
    for (let query = first; query < tokens && query < first + 4; query++) {
      const at = (query - first) * stride;
      if (bias) {
        const from = (biasHead + query) * tokens;
        for (let key = 0; key < tokens; key++) rows[at + key] += bias[from + key];
      }
      exponentiate(rows, at, tokens, totals);
      visit(query, at, totals[0], totals[1], totals[2]);
    }
  }
}

// [token, dim] times a factor as [panel, dim, token of the panel], the last panel filled up with zeros.
export function packPanels(source, from, tokens, dim, width, factor, panels) {
  for (let token = 0; token < tokens; token++) {
    let to = (token - (token % width)) * dim + (token % width);
    for (let i = 0; i < dim; i++, to += width) panels[to] = source[from + token * dim + i] * factor;
  }
}

export function scorePanel(queries, from, keys, dim, stride, rows) {
  for (let key = 0, at = 0; key < stride; key += 3) {
    let a0 = 0, a1 = 0, a2 = 0, b0 = 0, b1 = 0, b2 = 0, c0 = 0, c1 = 0, c2 = 0, d0 = 0, d1 = 0, d2 = 0;
    for (let i = 0, q = from; i < dim; i++, q += 4, at += 3) {
      const x = keys[at], y = keys[at + 1], z = keys[at + 2];
      const a = queries[q], b = queries[q + 1], c = queries[q + 2], d = queries[q + 3];
      a0 += a * x; a1 += a * y; a2 += a * z;
      b0 += b * x; b1 += b * y; b2 += b * z;
      c0 += c * x; c1 += c * y; c2 += c * z;
      d0 += d * x; d1 += d * y; d2 += d * z;
    }
    let to = key;
    rows[to] = a0; rows[to + 1] = a1; rows[to + 2] = a2;
    rows[(to += stride)] = b0; rows[to + 1] = b1; rows[to + 2] = b2;
    rows[(to += stride)] = c0; rows[to + 1] = c1; rows[to + 2] = c2;
    rows[(to += stride)] = d0; rows[to + 1] = d1; rows[to + 2] = d2;
  }
}

// Scores to exponentials in place; totals: the highest score, the sum, the sum of exponential · (score - highest).
export function exponentiate(rows, at, tokens, totals) {
  let highest = -Infinity, sum = 0, weighted = 0;
  for (let i = at; i < at + tokens; i++) if (rows[i] > highest) highest = rows[i];
  if (highest === -Infinity) rows.fill(0, at, at + tokens); // everything masked
  else {
    for (let i = at; i < at + tokens; i++) {
      const above = rows[i] - highest, value = Math.exp(above);
      rows[i] = value;
      sum += value;
      if (value > 0) weighted += value * above; // a masked key counts nothing
    }
  }
  totals[0] = highest;
  totals[1] = sum;
  totals[2] = weighted;
}
