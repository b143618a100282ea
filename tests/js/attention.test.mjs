import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { attentionRows, entropy, meanOfHeads, peakOf, rankOf, rawScore, shareOf } from "../../vizvit/explorer/js/attention.js";
import { decodeLayer, readPayload } from "../../vizvit/explorer/js/payload.js";

const folder = process.env.VIZVIT_FIXTURES;
const cases = folder ? JSON.parse(readFileSync(`${folder}/cases.json`)) : [];

function read(name) {
  const file = readFileSync(`${folder}/${name}.payload`);
  return readPayload(new Uint8Array(file.buffer, file.byteOffset, file.length).subarray(1)); // unaligned
}

function doublesOf(name) {
  const file = readFileSync(`${folder}/${name}`);
  return new Float64Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
}

test("fixtures are there", { skip: folder ? false : "run through pytest: tests/test_explorer_js.py" }, () => {
  assert.ok(cases.length > 0);
});

for (const name of cases) {
  test(`every row of ${name} agrees with float64`, () => {
    const { capture, sections } = read(name), expected = doublesOf(`${name}.attention`), scores = doublesOf(`${name}.scores`);
    const { num_layers: layers, num_heads: heads, num_tokens: tokens } = capture;
    for (let layer = 0; layer < layers; layer++) {
      const arrays = decodeLayer(capture, sections.get(layer));
      for (let query = 0; query < tokens; query++) {
        const rows = attentionRows(arrays, query);
        for (let head = 0; head < heads; head++) {
          const at = ((layer * heads + head) * tokens + query) * tokens;
          const row = expected.subarray(at, at + tokens), tolerance = 2e-3 * Math.max(...row);
          const largest = Math.max(...scores.subarray(at, at + tokens).map(Math.abs));
          for (let key = 0; key < tokens; key++) {
            assert.ok(Math.abs(rows[head * tokens + key] - row[key]) <= tolerance, `${layer} ${head} ${query} ${key}`);
            assert.ok(Math.abs(rawScore(arrays, head, query, key) - scores[at + key]) <= 2e-3 * largest);
          }
        }
      }
    }
  });
}

test("a masked key gets nothing", { skip: !folder }, () => {
  const { capture, sections } = read("bias");
  const rows = attentionRows(decodeLayer(capture, sections.get(0)), 1);
  assert.equal(rows[2], 0);
  assert.equal(rows[capture.num_tokens + 2], 0);
});

test("a query whose every key is masked attends to nothing instead of NaN", () => {
  const layer = {
    heads: 1, tokens: 2, dim: 1, scale: 1, queries: new Float32Array(2), keys: new Float32Array(2),
    bias: new Float32Array(4).fill(-Infinity), biasHeads: 1,
  };
  assert.deepEqual([...attentionRows(layer, 0)], [0, 0]);
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
  assert.deepEqual([...meanOfHeads(Float32Array.of(1, 0, 0.5, 0.5), 2)], [0.75, 0.25]);
});
