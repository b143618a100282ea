// One pass over a whole layer, every query of every head, without ever holding [head, query, key].
//
// Functions here go to a worker as text: they use one another and what is imported here alone.

import { normalised } from "./chain.js";
import { sweepHead, sweepWork } from "./sweep.js";

// What a layer's heads do, from all queries; geometry: { rows, cols, patch_size, prefix }; kernels: as readyKernels gives
// them, or null.
// { lse [head, query]: logarithm of each row's sum of exponentials, of the scores as sent (keys and bias centred),
//   received [head, key]: mean over all queries of the attention to that key,
//   distance [head]: mean attention distance of the patches in pixels, as vizvit.attention_distance,
//   entropy [head]: mean over all queries in nats, prefixShare [head]: mean over patch queries,
//   sinks: a list for each head, as sinksOf }
export function surveyLayer(layer, geometry, kernels = null) {
  const { heads, tokens } = layer, { rows, cols, patch_size: size, prefix } = geometry, patches = rows * cols;
  const work = sweepWork(layer, kernels), span = 2 * cols - 1, between = new Float64Array((2 * rows - 1) * span);
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

// A layer's Ã of attention rollout, [query, key], with the heads fused by "mean", "max" or "min"; residual: as of `normalised`.
export function fusedLayer(layer, how, kernels = null, residual = undefined) {
  const { heads, tokens } = layer, work = sweepWork(layer, kernels, tokens);
  for (let head = 0; head < heads; head++) {
    const join = head ? how : "mean"; // to nothing as yet
    sweepHead(layer, head, work, (query, at, highest, sum) => work.join(join, query, at, sum > 0 ? 1 / (how === "mean" ? sum * heads : sum) : 0));
  }
  return normalised(work.joined.rows, tokens, residual, work.joined.stride);
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
