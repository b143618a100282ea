import assert from "node:assert/strict";
import { test } from "node:test";
import { flowChanges, flowColumn, flowRow, flowSteps, normalised } from "../../vizvit/explorer/js/compute/chain.js";
import { fusedLayer } from "../../vizvit/explorer/js/compute/survey.js";
import { kernelParts } from "../../vizvit/explorer/js/compute/surveyor.js";
import { readyKernels } from "../../vizvit/explorer/js/compute/sweep.js";
import { halfOf, standingOut } from "../../vizvit/explorer/js/compute/standing.js";
import { captureOf, jsonOf, largestDifference, real, skip } from "./fixtures.mjs";

for (const name of real) {
  test(`rollout of ${name} agrees with vizvit.rollout and vizvit.rollout_steps`, { skip }, () => {
    const { layers, geometry } = captureOf(name);
    const chains = {}, kernels = readyKernels(kernelParts());
    for (const { fuse, direction, vector, steps } of jsonOf(name).rollouts) {
      const matrices = (chains[fuse] ??= layers.map((layer) => fusedLayer(layer, fuse, kernels)));
      const found = flowSteps(matrices, Float32Array.from(vector), direction);
      steps.forEach((step, layer) => {
        const error = largestDifference(found[layer].subarray(geometry.prefix), step);
        assert.ok(error < 5e-3, `${fuse} ${direction} up to layer ${layer}: ${error}`);
      });
      const last = (direction === "from" ? flowRow : flowColumn)(matrices, Float32Array.from(vector));
      assert.deepEqual(last, found.at(-1));
    }
  });
}

test("what stands out of a rollout is what vizvit.standing_out finds", { skip }, () => {
  for (const { map, outstanding, half } of jsonOf("standing")) {
    const row = Float32Array.of(9, ...map);
    assert.deepEqual(standingOut(row, 1, map.length).sort((a, b) => a - b), outstanding.map((patch) => patch + 1));
    assert.equal(halfOf(row, 1, map.length), half);
  }
});

test("a chain is the product of its matrices, whatever the number of tokens", () => {
  for (let tokens = 1; tokens <= 9; tokens++) {
    const [first, second] = [1, 2].map((seed) => Float32Array.from({ length: tokens ** 2 }, (_, i) => Math.abs(Math.sin(seed * 97 + i))));
    const vector = Float64Array.from({ length: tokens }, (_, i) => Math.max(0, Math.cos(3 * i)));
    const row = (weights, matrix) => weights.map((_, key) => weights.reduce((sum, weight, query) => sum + weight * matrix[query * tokens + key], 0));
    const column = (matrix, weights) => weights.map((_, query) => weights.reduce((sum, weight, key) => sum + weight * matrix[query * tokens + key], 0));
    assert.ok(largestDifference(flowRow([first, second], vector), row(row(vector, second), first)) < 1e-6);
    assert.ok(largestDifference(flowColumn([first, second], vector), column(second, column(first, vector))) < 1e-6);
  }
});

test("by hand: two tokens, two layers", () => {
  const first = normalised(Float32Array.of(0.5, 0.5, 0, 1), 2), second = normalised(Float32Array.of(0, 1, 1, 0), 2);
  assert.deepEqual([[...first], [...second]], [[0.75, 0.25, 0, 1], [0.5, 0.5, 0.5, 0.5]]);
  const chain = [first, second]; // R = second · first = [[0.375, 0.625], [0.375, 0.625]]
  assert.deepEqual([...flowRow(chain, 1)], [0.375, 0.625]);
  assert.deepEqual([...flowColumn(chain, 0)], [0.375, 0.375]);
  assert.deepEqual([...flowColumn(chain, Float32Array.of(0.5, 0.5))], [0.5, 0.5]);
  assert.deepEqual(flowSteps(chain, 0, "from").map((row) => [...row]), [[0.75, 0.25], [0.375, 0.625]]);
  assert.deepEqual(flowChanges(flowSteps(chain, 0, "from")), [null, Float32Array.of(-0.375, 0.375)]);
  assert.deepEqual(flowSteps(chain, 0, "to").map((column) => [...column]), [[0.75, 0], [0.375, 0.375]]);
});

test("rows sum to one also where the heads' greatest values do not", () => {
  const matrix = normalised(Float32Array.of(0.5, 0.75, 0, 0), 2, 0.25); // the second row has nothing but itself
  assert.ok(largestDifference(matrix, [0.625 / 1.1875, 0.5625 / 1.1875, 0, 1]) < 1e-6);
  assert.deepEqual([...normalised(Float32Array.of(0, 0, 0, 1), 2, 0)], [0, 0, 0, 1]);
});
