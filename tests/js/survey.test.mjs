import assert from "node:assert/strict";
import { test } from "node:test";
import { attentionRows, fuseHeads } from "../../vizvit/explorer/js/compute/attention.js";
import { fusedLayer, sinksOf, surveyLayer } from "../../vizvit/explorer/js/compute/survey.js";
import { kernelParts } from "../../vizvit/explorer/js/compute/surveyor.js";
import { readyKernels } from "../../vizvit/explorer/js/compute/sweep.js";
import { captureOf, jsonOf, largestDifference, made, real, skip } from "./fixtures.mjs";

const engines = { WebAssembly: readyKernels(kernelParts()), JavaScript: null };
const each = (names) => Object.entries(engines).flatMap(([engine, kernels]) => names.map((name) => [name, engine, kernels]));

for (const [name, engine, kernels] of each([...made, ...real])) {
  test(`the survey of ${name} in ${engine} agrees with Python`, { skip }, () => {
    const { layers, geometry } = captureOf(name), expected = jsonOf(name);
    layers.forEach((layer, index) => {
      const found = surveyLayer(layer, geometry, kernels), { heads, tokens } = layer;
      for (const [js, python] of [["distance", "distance"], ["entropy", "entropy"], ["prefixShare", "prefix_share"]]) {
        const error = largestDifference(found[js], expected[python][index]);
        assert.ok(error < 2e-3, `${js} of layer ${index}: ${error}`);
      }
      assert.ok(largestDifference(found.received, expected.received[index].flat()) < 2e-3);
      for (let head = 0; head < heads; head++) {
        const shares = found.received.subarray(head * tokens, (head + 1) * tokens);
        assert.ok(Math.abs(shares.reduce((a, b) => a + b) - 1) < 1e-5);
        const sinks = found.sinks[head].map(({ token }) => token);
        expected.sinks[index][head].forEach((sink, token) => {
          if (sink !== null) assert.equal(sinks.includes(token), sink, `sink ${index} ${head} ${token}`);
        });
        found.sinks[head].forEach(({ token, share, times }, rank) => {
          assert.equal(share, shares[token]);
          assert.equal(times, share * tokens);
          assert.ok(rank === 0 || share <= found.sinks[head][rank - 1].share);
        });
      }
    });
  });
}

for (const [name, engine, kernels] of each(made)) {
  test(`fused matrices of ${name} in ${engine} hold the fused rows`, () => {
    const { layers } = captureOf(name), { tokens } = layers[0];
    for (const how of ["mean", "max", "min"]) {
      const found = fusedLayer(layers[0], how, kernels, 0.25);
      for (let query = 0; query < tokens; query++) {
        const row = fuseHeads(attentionRows(layers[0], query), tokens, how), sum = row.reduce((a, b) => a + b, 1 / 3);
        row[query] += 1 / 3; // a residual of 1 to 3
        assert.ok(largestDifference(found.subarray(query * tokens, (query + 1) * tokens), row.map((value) => value / sum)) < 1e-5);
      }
    }
  });
}

test("WebAssembly is there, and what is masked has nothing in it either", () => {
  assert.ok(engines.WebAssembly);
  const noise = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898)), bias = noise(2 * 81);
  for (let i = 0; i < bias.length; i += 5) bias[i] = -Infinity;
  bias.fill(-Infinity, 27, 36); // all of a row
  const layer = { heads: 2, tokens: 9, dim: 5, scale: 0.4, queries: noise(90), keys: noise(90), biasHeads: 2, bias };
  const geometry = { rows: 2, cols: 4, patch_size: 8, prefix: 1 };
  for (const how of ["mean", "max", "min"]) {
    const [quick, plain] = Object.values(engines).map((kernels) => fusedLayer(layer, how, kernels));
    assert.ok(largestDifference(quick, plain) < 1e-6);
    assert.deepEqual(quick.map(Math.sign), plain.map(Math.sign));
  }
  const [quick, plain] = Object.values(engines).map((kernels) => surveyLayer(layer, geometry, kernels));
  for (const what of ["received", "distance", "entropy", "prefixShare"]) assert.ok(largestDifference(quick[what], plain[what]) < 1e-6, what);
  assert.equal(quick.lse[3], -Infinity);
});

test("real captures have sinks to find", { skip }, () => {
  assert.ok(real.some((name) => jsonOf(name).sinks.flat(2).some(Boolean)));
});

test("a sink is found, noise and even attention have none", () => {
  const even = new Float32Array(40).fill(1 / 40);
  const noisy = Float32Array.from(even, (share, token) => share * (1 + 0.2 * Math.sin(token * 12.9)));
  const [none, little, one, only] = [even, noisy, noisy.slice(), new Float32Array(40)];
  [one[9], one[4], only[3]] = [0.5, 0.25, 1];
  const found = sinksOf(Float32Array.from([none, little, one, only].flatMap((shares) => [...shares])), 40);
  assert.deepEqual(found.map((sinks) => sinks.map(({ token }) => token)), [[], [], [9, 4], [3]]);
  assert.deepEqual(found[2][0], { token: 9, share: 0.5, times: 20 });
});
