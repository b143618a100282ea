import assert from "node:assert/strict";
import { test } from "node:test";
import { choose } from "../../vizvit/explorer/js/state/changes.js";
import { isWhole, layerAtHand } from "../../vizvit/explorer/js/state/sides.js";

function appOf(layers, standalone = true) {
  const a = { capture: { num_layers: 12 }, sections: new Map(layers.map((layer) => [layer, {}])) };
  return { a, session: { standalone }, choice: { layer: 11, rollout: false }, schedule() {}, settle() {} };
}

test("a file with some layers goes to the next one in the direction of travel", () => {
  const app = appOf([11, 0, 6]);
  assert.equal(layerAtHand(app, 10, 11), 6);
  assert.equal(layerAtHand(app, 5, 6), 0);
  assert.equal(layerAtHand(app, 7, 6), 11);
  assert.equal(layerAtHand(app, 6, 11), 6);
  assert.equal(layerAtHand(app, 4, 4), 6); // from nowhere: the nearest
  assert.equal(layerAtHand(appOf([2, 5]), 6, 5), 5); // there is none beyond
});

test("where Python can be asked, every layer is at hand", () => {
  assert.equal(layerAtHand(appOf([11], false), 3, 11), 3);
  assert.ok(isWhole(appOf([11], false)));
});

test("rollout needs all layers", () => {
  const some = appOf([0, 11]), all = appOf([...Array(12).keys()]);
  for (const app of [some, all]) choose(app, { rollout: true });
  assert.deepEqual([some.choice.rollout, all.choice.rollout], [false, true]);
  choose(some, { layer: 4 });
  assert.equal(some.choice.layer, 0);
});
