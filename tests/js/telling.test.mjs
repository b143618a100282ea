import assert from "node:assert/strict";
import { test } from "node:test";
import { tellingPatches } from "../../vizvit/explorer/js/compute/telling.js";

// Every token looks evenly, but for those in `looks`: [row, col] of a patch, the patch that it looks at, how sharply.
function layerWhere(looks, rows = 6, cols = 6) {
  const tokens = 1 + rows * cols, token = ([row, col]) => 1 + row * cols + col;
  const queries = new Float32Array(tokens * tokens), keys = new Float32Array(tokens * tokens);
  for (let i = 0; i < tokens; i++) keys[i * tokens + i] = 1;
  for (const [from, to, sharp] of looks) queries[(from ? token(from) : 0) * tokens + token(to)] = sharp;
  return { heads: 1, tokens, dim: tokens, scale: 1, queries, keys, bias: null, biasHeads: 0 };
}

const place = { rows: 6, cols: 6, prefix: 1 }, at = (row, col) => 1 + row * 6 + col;

test("patches whose look is their own come first, and apart from one another", () => {
  const layer = layerWhere([[[1, 1], [5, 5], 9], [[1, 2], [5, 4], 8], [[1, 4], [0, 0], 7], [[4, 2], [2, 2], 6]]);
  assert.deepEqual(tellingPatches(layer, place, 0), [at(1, 1), at(1, 4), at(4, 2)]);
});

test("of equal ones, that which the class token attends to", () => {
  const around = [0, 1, 2].flatMap((row) => [3, 4, 5].map((col) => [row, col]));
  const queries = layerWhere([[[1, 1], [5, 5], 6], [[1, 4], [5, 0], 6]]);
  for (const [row, col] of around) queries.queries[at(row, col)] = 2; // of the class token, whose query comes first
  assert.equal(tellingPatches(queries, place, 0)[0], at(1, 4));
});
