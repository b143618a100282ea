import assert from "node:assert/strict";
import { test } from "node:test";
import { attentionRows } from "../../vizvit/explorer/js/compute/attention.js";
import { captureOfFeatures, componentColours, cosinesWith, decodeVectors, featureLimits, histogramOf, meanVector, readFeatures } from "../../vizvit/explorer/js/compute/features.js";
import { tokensOfArea } from "../../vizvit/explorer/js/compute/patches.js";
import { artefactsOf } from "../../vizvit/explorer/js/state/featureviews.js";
import { captureOf, families, featureBytesOf, jsonOf, largestDifference, skip } from "./fixtures.mjs";

const WORST = 0.006; // of a cosine: what 8 bits a number leave

test("families are there", { skip }, () => assert.equal(families.length, 5));

for (const name of families) {
  const expected = jsonOf(name), { capture, layers } = captureOf(name), prefix = capture.prefix_names.length;
  const { header, features } = readFeatures(featureBytesOf(name), capture), { dim } = features;
  const vectorsOf = (from, layer) => decodeVectors(from.sections.get(layer), capture.num_tokens, dim);

  test(`${name}: features are of their capture`, () => {
    assert.equal(captureOfFeatures(featureBytesOf(name)), capture.capture);
    assert.equal(features.capture, capture.capture);
    assert.equal(header.same_model, true);
  });

  test(`${name}: attention agrees with the engine`, () => {
    layers.forEach((arrays, layer) => {
      for (let query = 0; query < capture.num_tokens; query++) {
        const rows = attentionRows(arrays, query), theirs = expected.attention[layer].map((head) => head[query]).flat();
        assert.ok(largestDifference(rows, theirs) < 2e-3, `${layer} ${query}`);
      }
    });
  });

  test(`${name}: cosines agree with the engine, of a token, an area and the other picture`, () => {
    // the frame around it has an empty header: "{}" and blanks up to a multiple of 16
    const inner = Uint8Array.from(expected.other), bytes = new Uint8Array(16 + inner.length);
    bytes.set([...new TextEncoder().encode("VZV1"), 8, 0, 0, 0, ...new TextEncoder().encode("{}      ")]);
    bytes.set(inner, 16);
    const other = readFeatures(bytes, capture).features;
    for (let layer = 0; layer < capture.num_layers; layer++) {
      const vectors = vectorsOf(features, layer);
      expected.cosines[layer].forEach((map, token) => {
        const row = cosinesWith(vectors, dim, meanVector(vectors, dim, [token])).subarray(prefix);
        map.flat().forEach((value, patch) => assert.ok(Math.abs(row[patch] - value) < WORST, `${layer} ${token} ${patch}`));
      });
      const there = cosinesWith(vectorsOf(other, layer), dim, meanVector(vectors, dim, [prefix])).subarray(prefix);
      expected.there[layer].flat().forEach((value, patch) => assert.ok(Math.abs(there[patch] - value) < WORST));
    }
    assert.ok(largestDifference(other.components[1], expected.both_of_other.flat(2)) < 1e-3);
    assert.deepEqual([features.compared, other.compared], [null, capture.capture]);
    const ends = [0, 1, 2].map((part) => {
      const row = Float32Array.from([...expected.both, ...expected.both_of_other].flat().map((patch) => patch[part]));
      return Object.values(featureLimits([{ row, first: 0, count: row.length }])).slice(0, 2);
    });
    assert.ok(largestDifference(other.ends[1].flat(), ends.flat()) < 1e-3);
    const inside = componentColours(other.components[1], 3, other.ends[1])[0] & 255, [low, high] = ends[0], value = other.components[1][0];
    assert.ok(Math.abs(inside - 255 * Math.min(Math.max((value - low) / (high - low), 0), 1)) <= 1);
    const vectors = vectorsOf(features, 1), area = tokensOfArea(capture, [0, 0, 1, 1]);
    const row = cosinesWith(vectors, dim, meanVector(vectors, dim, area)).subarray(prefix);
    expected.area.flat().forEach((value, patch) => assert.ok(Math.abs(row[patch] - value) < WORST));
  });

  test(`${name}: components and their colours agree with the engine`, () => {
    for (let layer = 0; layer < capture.num_layers; layer++) {
      assert.ok(largestDifference(features.components[layer], expected.components[layer].flat(2)) < 1e-3);
      const words = componentColours(features.components[layer], features.count);
      expected.colours[layer].flat().forEach((colour, patch) => {
        colour.forEach((value, part) => assert.ok(Math.abs(((words[patch] >> (8 * part)) & 255) - value) <= 1));
        assert.equal(words[patch] >>> 24, 255);
      });
    }
  });

  test(`${name}: norms, their limits and artefact tokens agree with the engine`, () => {
    const side = { capture, features };
    for (let layer = 0; layer < capture.num_layers; layer++) {
      const row = features.norms[layer + 1], count = capture.rows * capture.cols;
      assert.ok(largestDifference(row, expected.norms[layer + 1]) < 1e-6);
      const { low, high } = featureLimits([{ row, first: prefix, count }]);
      assert.ok(largestDifference([low, high], expected.limits[layer]) < 1e-5);
      const mask = expected.artefacts[layer].flat();
      assert.deepEqual(artefactsOf(side, layer), mask.flatMap((marked, patch) => (marked ? [prefix + patch] : [])));
      assert.equal(histogramOf(row, prefix, 7).counts.reduce((sum, one) => sum + one), count);
    }
    assert.ok(largestDifference(features.norms[0], expected.norms[0]) < 1e-6);
  });
}

test("two high norms are marked, and only above a threshold", { skip }, () => {
  const side = { capture: { prefix_names: ["class"], rows: 2, cols: 2 }, features: { norms: [[], [9, 1, 7, 2, 8]], thresholds: [5] } };
  assert.deepEqual(artefactsOf(side, 0), [2, 4]);
  assert.deepEqual(artefactsOf({ ...side, features: { ...side.features, thresholds: [null] } }, 0), []);
});

test("limits of maps that are all alike are half a unit to both sides", () => {
  assert.deepEqual(featureLimits([{ row: new Float32Array([2, 2]), first: 0, count: 2 }]), { low: 1.5, high: 2.5, log: false });
});
