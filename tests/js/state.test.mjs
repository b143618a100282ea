import assert from "node:assert/strict";
import { test } from "node:test";
import { areaBetween, stepPatch, tokensOfArea } from "../../vizvit/explorer/js/compute/patches.js";
import { choose, toggleFold } from "../../vizvit/explorer/js/state/changes.js";
import { createSide, layerOf } from "../../vizvit/explorer/js/state/sides.js";
import { HOME, createState, queryOf, queryTokens } from "../../vizvit/explorer/js/state/state.js";
import { missingLayer } from "../../vizvit/explorer/js/wire/fetching.js";
import { createSettle, stampOfChoice } from "../../vizvit/explorer/js/wire/settle.js";

function explorer(prefix = ["class"], here = [4, 5]) {
  const app = createState();
  app.a.capture = { rows: 3, cols: 4, num_layers: 12, num_heads: 2, prefix_names: prefix, layers: here };
  app.session = { start: 7 };
  app.a.sections = new Map(here.map((layer) => [layer, `bytes of ${layer}`]));
  app.choice.layer = 5;
  app.sent = [];
  app.send = (name, value) => app.sent.push([name, value]);
  app.schedule = () => {};
  app.settle = createSettle(app);
  app.reported = stampOfChoice(app);
  return app;
}

const everything = [...Array(12).keys()];

test("a patch under the pointer comes before the kept one, and before a rectangle", () => {
  const app = explorer();
  app.choice.token = 3;
  assert.equal(queryOf(app), 3);
  app.choice.area = [0, 1, 1, 2];
  assert.deepEqual(queryTokens(app), [2, 3, 6, 7]);
  app.hover = 9;
  assert.deepEqual(queryTokens(app), [9]);
  app.drag = [2, 0, 2, 1];
  assert.deepEqual(queryTokens(app), [9, 10]);
});

test("arrow keys stay on the grid and enter it in the middle", () => {
  const { capture } = explorer().a;
  assert.equal(stepPatch(capture, 0, 1, 0), 1 + 1 * 4 + 1);
  assert.equal(stepPatch(capture, 1, -1, 0), 1);
  assert.equal(stepPatch(capture, 1, 0, -1), 1);
  assert.equal(stepPatch(capture, 1, 1, 0), 5);
  assert.equal(stepPatch(capture, 12, 1, 0), 12);
  assert.equal(stepPatch(capture, 12, 0, 1), 12);
});

test("a rectangle lies between its corners, whichever they are", () => {
  const { capture } = explorer().a;
  assert.deepEqual(areaBetween(capture, 12, 1), [0, 0, 2, 3]);
  assert.deepEqual(areaBetween(capture, 4, 5), [0, 0, 1, 3]);
  assert.deepEqual(tokensOfArea(capture, [1, 1, 1, 1]), [6]);
});

test("another query lets go of the rectangle, another layer or head of the rollout", () => {
  const app = explorer();
  choose(app, { token: 2, area: [0, 1, 1, 2] });
  choose(app, { rollout: true });
  choose(app, { direction: "to" });
  assert.deepEqual([app.choice.area, app.choice.rollout], [[0, 1, 1, 2], true]);
  choose(app, { token: 3 });
  assert.deepEqual([app.choice.area, app.choice.rollout], [null, true]);
  choose(app, { head: 1 });
  assert.equal(app.choice.rollout, false);
  clearTimeout(app.settleTimer);
});

test("layers end at the first and the last", () => {
  const app = explorer();
  choose(app, { layer: 19 });
  assert.equal(app.choice.layer, 11);
  choose(app, { layer: -1 });
  assert.equal(app.choice.layer, 0);
  clearTimeout(app.settleTimer);
});

test("a layer is decoded once, when it is looked at, and few large ones are kept", () => {
  const side = createSide("a"), size = 40 * 2 ** 20;
  let count = 0;
  side.sections = new Map([[0, "0"], [1, "1"], [2, "2"]]);
  side.decode = () => ((count += 1), { queries: { length: size }, keys: { length: 0 }, bias: null });
  layerOf(side, 0);
  layerOf(side, 0);
  assert.equal(layerOf(side, 9), null);
  assert.equal(count, 1);
  for (const layer of [1, 0, 2]) layerOf(side, layer);
  assert.equal(count, 3);
  assert.deepEqual([...side.decoded.keys()], [0, 2], "the one that was not used for longest goes");
});

test("only the last of several quick choices is sent, and none twice", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const app = explorer(["class"], everything);
  choose(app, { token: 3 });
  context.mock.timers.tick(200);
  choose(app, { token: 4, head: 1 });
  context.mock.timers.tick(249);
  assert.deepEqual(app.sent, []);
  context.mock.timers.tick(1);
  assert.equal(app.sent.length, 1);
  const [[name, sent]] = app.sent;
  assert.deepEqual([name, sent.layer, sent.head, sent.token, sent.start, sent.scale], ["selection", 5, 1, 4, 7, "own"]);
  choose(app, { token: 5 });
  choose(app, { token: 4 });
  context.mock.timers.tick(300);
  assert.equal(app.sent.length, 1);
});

test("the layer looked at is asked for first, then its neighbours, one request at a time", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const app = explorer();
  choose(app, { layer: 9 });
  context.mock.timers.tick(300);
  assert.deepEqual(app.sent[0], ["layer", 9]);
  choose(app, { token: 4 });
  context.mock.timers.tick(300);
  assert.deepEqual(app.sent.map(([name]) => name), ["layer", "selection", "selection"]);
  for (const layer of [8, 9]) app.a.sections.set(layer, "bytes");
  assert.ok([7, 10].includes(missingLayer(app, app.a)));
  for (const layer of [6, 7, 10, 11]) app.a.sections.set(layer, "bytes");
  assert.equal(missingLayer(app, app.a), null);
});

test("the matrix of all layers wants them all, the nearest first", () => {
  const app = explorer(["class"], [4, 5, 6, 7]);
  app.choice.layer = 5;
  for (const layer of [1, 2, 3, 8, 9]) app.a.sections.set(layer, "bytes");
  assert.equal(missingLayer(app, app.a), null);
  toggleFold(app, "atlas");
  assert.ok([0, 10].includes(missingLayer(app, app.a)));
  clearTimeout(app.settleTimer);
});

test("the fallback query is the first token", () => assert.equal(HOME, 0));
