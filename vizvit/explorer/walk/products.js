// One query and one key, dimension by dimension, and how their product becomes a share of the attention.

import { scoreTerms } from "../js/compute/attention.js";

// query, key, products, sums [dim]: what the two hold, their product in each dimension, and the sum of the products up to
// it, the last of which is q·k; and the steps from there, as `scoreTerms` has them.
export function meeting(layer, head, query, key) {
  const { tokens, dim, queries, keys, keyMean } = layer;
  const q = (head * tokens + query) * dim, k = (head * tokens + key) * dim, mean = head * dim;
  const found = { query: new Float64Array(dim), key: new Float64Array(dim), products: new Float64Array(dim), sums: new Float64Array(dim) };
  for (let i = 0, sum = 0; i < dim; i++) {
    found.query[i] = queries[q + i];
    found.key[i] = keys[k + i] + keyMean[mean + i];
    found.products[i] = found.query[i] * found.key[i];
    found.sums[i] = sum += found.products[i];
  }
  return { ...found, ...scoreTerms(layer, head, query, key) };
}

// The `count` tokens that get most of a row, most first.
export function strongest(row, count) {
  return [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, count);
}
