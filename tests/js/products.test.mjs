import assert from "node:assert/strict";
import { test } from "node:test";
import { scoreTerms } from "../../vizvit/explorer/js/compute/attention.js";
import { meeting, strongest } from "../../vizvit/explorer/walk/products.js";
import { randomScores } from "../../vizvit/explorer/walk/variance.js";
import { captureOf, doublesOf, made, skip } from "./fixtures.mjs";

test("the products of a query and a key add up to the score that the model computed", { skip }, () => {
  for (const name of made) {
    const { capture, layers } = captureOf(name), { num_heads: heads, num_tokens: tokens } = capture;
    const scores = doublesOf(`${name}.scores`), attention = doublesOf(`${name}.attention`);
    for (let head = 0; head < heads; head++) {
      for (const [query, key] of [[0, tokens - 1], [3, 1], [tokens - 1, tokens - 1]]) {
        const found = meeting(layers[0], head, query, key), row = (head * tokens + query) * tokens;
        const most = Math.max(...scores.subarray(row, row + tokens).map(Math.abs));
        const sum = found.products.reduce((all, product) => all + product, 0);
        assert.ok(Math.abs(sum - scores[row + key]) <= 2e-3 * most, name);
        assert.equal(found.sums.at(-1), sum);
        assert.ok(Math.abs(sum - found.product) <= 1e-9 * most);
        found.products.forEach((product, i) => assert.equal(product, found.query[i] * found.key[i]));
        assert.equal(found.attention, scoreTerms(layers[0], head, query, key).attention); // "why this number"
        assert.ok(Math.abs(found.attention - attention[row + key]) <= 2e-3 * Math.max(...attention.subarray(row, row + tokens)));
      }
    }
  }
});

test("the strongest come first", () => assert.deepEqual(strongest(Float32Array.of(0.1, 0.4, 0.2, 0.3), 3), [1, 3, 2]));

test("scores spread as the root of the width; divided they do not, and their softmax stays flat", () => {
  const mean = (dim, divided, what) => {
    const found = [...Array(100).keys()].map((seed) => what(randomScores(dim, 64, seed + 1, divided)));
    return found.reduce((sum, value) => sum + value, 0) / found.length;
  };
  for (const dim of [4, 64, 256]) {
    const variance = mean(dim, false, ({ deviation }) => deviation ** 2);
    assert.ok(Math.abs(variance / dim - 1) < 0.2, `${dim}: ${variance}`);
    assert.ok(Math.abs(mean(dim, true, ({ deviation }) => deviation ** 2) - variance / dim) < 1e-9);
  }
  assert.ok(mean(256, false, ({ weights }) => weights[0]) > 0.8);
  assert.ok(mean(256, true, ({ weights }) => weights[0]) < 0.2);
});
