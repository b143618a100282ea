import assert from "node:assert/strict";
import { test } from "node:test";
import { createSettle } from "../../vizvit/explorer/js/settle.js";
import { HOME, choose, createState, layerOf, queryOf, stepPatch } from "../../vizvit/explorer/js/state.js";

function explorer(prefix = ["class"]) {
  const app = createState();
  app.capture = { rows: 3, cols: 4, num_layers: 6, num_heads: 2, prefix_names: prefix };
  app.session = { start: 7 };
  app.sections = new Map([[4, "bytes of 4"], [5, "bytes of 5"]]);
  app.choice.layer = 5;
  app.reported = JSON.stringify({ layer: 5, head: null, token: HOME, start: 7 });
  app.sent = [];
  app.send = (name, value) => app.sent.push([name, value]);
  app.schedule = () => {};
  app.settle = createSettle(app);
  return app;
}

test("a patch under the pointer comes before the kept one", () => {
  const app = explorer();
  app.choice.token = 3;
  assert.equal(queryOf(app), 3);
  app.hover = 9;
  assert.equal(queryOf(app), 9);
});

test("arrow keys stay on the grid and enter it in the middle", () => {
  const app = explorer();
  assert.equal(stepPatch(app, 1, 0), 1 + 1 * 4 + 1);
  app.choice.token = 1;
  assert.equal(stepPatch(app, -1, 0), 1);
  assert.equal(stepPatch(app, 0, -1), 1);
  assert.equal(stepPatch(app, 1, 0), 5);
  app.choice.token = 12;
  assert.equal(stepPatch(app, 1, 0), 12);
  assert.equal(stepPatch(app, 0, 1), 12);
});

test("layers end at the first and the last", () => {
  const app = explorer();
  choose(app, { layer: 9 });
  assert.equal(app.choice.layer, 5);
  choose(app, { layer: -1 });
  assert.equal(app.choice.layer, 0);
  clearTimeout(app.settleTimer);
});

test("a layer is decoded once, when it is looked at", () => {
  const app = explorer();
  let count = 0;
  app.decode = (_, bytes) => ((count += 1), bytes);
  assert.equal(layerOf(app, 5), "bytes of 5");
  assert.equal(layerOf(app, 5), "bytes of 5");
  assert.equal(layerOf(app, 0), null);
  assert.equal(count, 1);
});

test("only the last of several quick choices is sent, and none twice", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const app = explorer();
  choose(app, { token: 3 });
  context.mock.timers.tick(200);
  choose(app, { token: 4, head: 1 });
  context.mock.timers.tick(249);
  assert.deepEqual(app.sent, []);
  context.mock.timers.tick(1);
  assert.deepEqual(app.sent, [["selection", { layer: 5, head: 1, token: 4, start: 7 }]]);
  choose(app, { token: 5 });
  choose(app, { token: 4 });
  context.mock.timers.tick(300);
  assert.equal(app.sent.length, 1);
});

test("a layer that was not sent is asked for, once", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const app = explorer();
  choose(app, { layer: 2 });
  context.mock.timers.tick(300);
  assert.deepEqual(app.sent[0], ["layer", 2]);
  choose(app, { token: 4 });
  context.mock.timers.tick(300);
  assert.deepEqual(app.sent.map(([name]) => name), ["layer", "selection", "selection"]);
});
