import assert from "node:assert/strict";
import { test } from "node:test";
import { attentionColumns, attentionRows, entropy, fuseHeads, meanDistance, peakOf, rankOf, rawScore, scoreTerms, shareOf } from "../../vizvit/explorer/js/compute/attention.js";
import { surveyLayer } from "../../vizvit/explorer/js/compute/survey.js";
import { captureOf, doublesOf, largestDifference, made, skip } from "./fixtures.mjs";

test("fixtures are there", { skip }, () => assert.ok(made.length > 0));

for (const name of made) {
  test(`every row and column of ${name} agrees with float64`, () => {
    const { capture, layers, geometry } = captureOf(name);
    const expected = doublesOf(`${name}.attention`), scores = doublesOf(`${name}.scores`);
    const { num_heads: heads, num_tokens: tokens } = capture;
    layers.forEach((arrays, layer) => {
      const { lse } = surveyLayer(arrays, geometry);
      for (let query = 0; query < tokens; query++) {
        const rows = attentionRows(arrays, query), columns = attentionColumns(arrays, query, lse);
        for (let head = 0; head < heads; head++) {
          const start = (layer * heads + head) * tokens * tokens, at = start + query * tokens;
          const row = expected.subarray(at, at + tokens), tolerance = 2e-3 * Math.max(...row);
          const largest = Math.max(...scores.subarray(at, at + tokens).map(Math.abs));
          for (let key = 0; key < tokens; key++) {
            assert.ok(Math.abs(rows[head * tokens + key] - row[key]) <= tolerance, `${layer} ${head} ${query} ${key}`);
            assert.ok(Math.abs(rawScore(arrays, head, query, key) - scores[at + key]) <= 2e-3 * largest);
          }
          const column = row.map((_, other) => expected[start + other * tokens + query]);
          const found = columns.subarray(head * tokens, (head + 1) * tokens);
          found.forEach((value, other) => {
            const most = Math.max(...expected.subarray(start + other * tokens, start + (other + 1) * tokens));
            assert.ok(Math.abs(value - column[other]) <= 2e-3 * most, `column ${layer} ${head} ${query} ${other}`);
          });
        }
      }
    });
  });

  test(`the steps of one value of ${name} follow from one another and end at the attention`, () => {
    const { capture, layers } = captureOf(name), { num_heads: heads, num_tokens: tokens } = capture;
    const attention = doublesOf(`${name}.attention`), scores = doublesOf(`${name}.scores`);
    for (let head = 0; head < heads; head++) {
      for (const [query, key] of [[0, 0], [1, 2], [1, 3], [tokens - 1, 4]]) {
        const at = ((2 * heads + head) * tokens + query) * tokens, row = scores.subarray(at, at + tokens);
        const terms = scoreTerms(layers[2], head, query, key);
        assert.ok(Math.abs(terms.product - row[key]) <= 2e-3 * Math.max(...row.map(Math.abs)));
        assert.equal(terms.scaled, terms.product * terms.scale);
        assert.equal(terms.score, terms.scaled + terms.bias);
        assert.equal(terms.exponential, Math.exp(terms.score - terms.highest));
        assert.equal(terms.attention, terms.exponential / terms.sum);
        const most = Math.max(...attention.subarray(at, at + tokens));
        assert.ok(Math.abs(terms.attention - attention[at + key]) <= 2e-3 * most);
        const rows = attentionRows(layers[2], query);
        assert.ok(Math.abs(terms.attention - rows[head * tokens + key]) <= 1e-5 * most);
        if (!layers[2].bias) assert.equal(terms.bias, 0);
      }
    }
  });
}

test("a masked key gets nothing", { skip }, () => {
  const { capture, layers, geometry } = captureOf("bias");
  const rows = attentionRows(layers[0], 1);
  assert.equal(rows[2], 0);
  assert.equal(rows[capture.num_tokens + 2], 0);
  assert.equal(attentionColumns(layers[0], 2, surveyLayer(layers[0], geometry).lse)[1], 0);
  const terms = scoreTerms(layers[0], 0, 1, 2);
  assert.deepEqual([terms.bias, terms.score, terms.exponential, terms.attention], [-Infinity, -Infinity, 0, 0]);
});

test("a query whose every key is masked attends to nothing instead of NaN", () => {
  const layer = {
    heads: 1, tokens: 2, dim: 1, scale: 1, queries: new Float32Array(2), keys: new Float32Array(2),
    keyMean: new Float32Array(1), bias: Float32Array.of(-Infinity, -Infinity, 0, 0), biasHeads: 1,
  };
  assert.deepEqual([...attentionRows(layer, 0)], [0, 0]);
  const survey = surveyLayer(layer, { rows: 1, cols: 2, patch_size: 4, prefix: 0 });
  assert.deepEqual([...attentionColumns(layer, 0, survey.lse)], [0, 0.5]);
  assert.deepEqual([...survey.received], [0.25, 0.25]);
  assert.ok([survey.distance, survey.entropy, survey.prefixShare].every(([value]) => Number.isFinite(value)));
  const { sum, exponential, attention } = scoreTerms(layer, 0, 0, 1);
  assert.deepEqual([sum, exponential, attention], [0, 0, 0]);
});

test("statistics of a row", () => {
  const uniform = new Float32Array(8).fill(1 / 8);
  assert.ok(Math.abs(entropy(uniform) - Math.log(8)) < 1e-6);
  assert.equal(entropy(Float32Array.of(0, 1, 0)), 0);
  const row = Float32Array.of(0.5, 0.125, 0.25, 0.125);
  assert.equal(shareOf(row, 2), 0.625);
  assert.equal(peakOf(row), 0);
  assert.equal(peakOf(row, 1), 2);
  assert.deepEqual([0, 1, 2, 3].map((token) => rankOf(row, token)), [1, 3, 2, 3]);
  assert.deepEqual([...fuseHeads(Float32Array.of(1, 0, 0.5, 0.5), 2, "mean")], [0.75, 0.25]);
});

test("heads are fused in three ways", () => {
  const rows = Float32Array.of(0.5, 0.25, 0.25, 0.125, 0.75, 0.125, 0.5, 0.5, 0), out = new Float32Array(3);
  assert.deepEqual([...fuseHeads(rows, 3, "max")], [0.5, 0.75, 0.25]);
  assert.deepEqual([...fuseHeads(rows, 3, "min")], [0.125, 0.25, 0]);
  assert.equal(fuseHeads(rows, 3, "max", out), out);
});

test("the distance of one patch leaves the prefix out", () => {
  const row = Float32Array.of(0.5, 0.125, 0.25, 0, 0, 0, 0.125); // a prefix token, 2 × 3 patches
  assert.equal(meanDistance(row, 1, 2, 3, 16, 1), (16 * (0.25 + 0.125 * Math.sqrt(5))) / 0.5);
  assert.equal(meanDistance(Float32Array.of(1, 0, 0), 1, 1, 2, 16, 1), 0); // nothing on patches
});

for (const name of made) {
  test(`distances of single patches of ${name} make up the head's`, () => {
    const { capture, layers, geometry } = captureOf(name), { rows, cols, patch_size: size, prefix } = geometry;
    const { heads, tokens } = layers[1], sums = new Float64Array(heads);
    for (let query = prefix; query < tokens; query++) {
      const values = attentionRows(layers[1], query);
      sums.forEach((_, head) => {
        const row = values.subarray(head * tokens, (head + 1) * tokens);
        sums[head] += meanDistance(row, prefix, rows, cols, size, query) / (capture.rows * capture.cols);
      });
    }
    assert.ok(largestDifference(sums, surveyLayer(layers[1], geometry).distance) < 1e-5);
  });
}
