// The sequence that enters the blocks: prefix tokens before the patches, positions added (vizvit/walk/sequence.py).

import { apartOf, lengthOf, rowOf } from "./formulas.js";

// vectors: of each token before the patches.
export function prefix({ model, tensors, found }) {
  const { prefix: count, dim } = model;
  if (!count) return { absent: "absent_prefix" };
  const vectors = Array.from({ length: count }, (_, token) => rowOf(tensors.prefix, token, dim));
  const placed = Float64Array.from(tensors.prefix, (value, i) => value + tensors.position[i]);
  return { vectors, difference: apartOf([placed, found.sequence]) };
}

// before, position, after [token, dim]; similarity: cosine of the token's position with each patch's, or null where it
// has none.
export function position({ model, tensors, found }, { token }) {
  const { prefix: count, tokens, dim } = model, before = new Float64Array(tokens * dim);
  if (count) before.set(tensors.prefix);
  before.set(found.embedded, count * dim);
  const after = before.map((value, i) => value + tensors.position[i]), own = rowOf(tensors.position, token, dim), length = lengthOf(own);
  const similarity = length ? Float64Array.from({ length: tokens - count }, (_, patch) => {
    const other = rowOf(tensors.position, count + patch, dim);
    return own.reduce((sum, value, i) => sum + value * other[i], 0) / (length * Math.max(lengthOf(other), 1e-12));
  }) : null;
  return { before, position: tensors.position, after, similarity, difference: apartOf([after, found.sequence]) };
}
