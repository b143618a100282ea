import assert from "node:assert/strict";
import { resolveObjectURL } from "node:buffer";
import { afterEach, test } from "node:test";
import vm from "node:vm";
import { Worker as Thread } from "node:worker_threads";
import { fusedLayer, surveyLayer } from "../../vizvit/explorer/js/compute/survey.js";
import { createSurveyor, kernelParts, surveyorSource } from "../../vizvit/explorer/js/compute/surveyor.js";
import { readyKernels } from "../../vizvit/explorer/js/compute/sweep.js";

const kernels = readyKernels(kernelParts());
const geometry = { rows: 3, cols: 4, patch_size: 16, prefix: 1 };

function layerOf(seed, bias = 0) {
  const heads = 2, tokens = 13, dim = 5, noise = (count) => Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(seed + i * 12.9898));
  return {
    heads, tokens, dim, scale: dim ** -0.5, queries: noise(heads * tokens * dim), keys: noise(heads * tokens * dim),
    keyMean: noise(heads * dim), biasHeads: bias, bias: bias ? noise(bias * tokens * tokens) : null,
  };
}

// The browser's Worker by Node's.
class NodeWorker {
  constructor(address) {
    NodeWorker.count += 1;
    const prelude = `const { parentPort } = require("node:worker_threads"); globalThis.self = {
      postMessage: (...all) => parentPort.postMessage(...all) }; parentPort.on("message", (data) => self.onmessage({ data }));`;
    this.thread = resolveObjectURL(address).text().then((source) => {
      const thread = new Thread(prelude + source, { eval: true });
      thread.on("message", (data) => this.onmessage({ data }));
      return thread;
    });
  }
  postMessage(data) {
    const copy = structuredClone(data);
    this.thread.then((thread) => thread.postMessage(copy));
  }
  terminate() {
    this.thread.then((thread) => thread.terminate());
  }
}

afterEach(() => {
  delete globalThis.Worker;
  NodeWorker.count = 0;
});

// All answers to asks, once `count` have come.
function answersTo(asks, count = asks.length, most = 1) {
  return new Promise((resolve) => {
    const answers = [];
    const surveyor = createSurveyor((answer) => {
      answers.push(answer);
      if (answers.length === count) setTimeout(() => (surveyor.close(), resolve(answers)), 20);
    }, most);
    for (const ask of asks) surveyor.ask(...ask);
  });
}

const asks = [
  ["survey", "a", 0, { layer: layerOf(1), geometry }],
  ["fused", "a", 1, { layer: layerOf(2, 2), how: "max" }],
  ["fused", "b", 1, { layer: () => layerOf(3, 1), how: "mean", residual: 0.25 }],
];
const expected = [
  { kind: "fused", side: "b", index: 1, how: "mean", result: fusedLayer(layerOf(3, 1), "mean", kernels, 0.25) },
  { kind: "fused", side: "a", index: 1, how: "max", result: fusedLayer(layerOf(2, 2), "max", kernels) },
  { kind: "survey", side: "a", index: 0, how: undefined, result: surveyLayer(layerOf(1), geometry, kernels) },
];

test("the worker's script needs nothing but itself", () => {
  for (const [kind, , , args] of asks) {
    const posted = [], self = { postMessage: (...all) => posted.push(all) };
    vm.runInNewContext(surveyorSource(), { self });
    for (const how of kind === "fused" ? ["mean", "max", "min"] : [undefined]) {
      const layer = typeof args.layer === "function" ? args.layer() : args.layer;
      self.onmessage({ data: { kind, arrays: layer, geometry: args.geometry, how, residual: args.residual } });
      const [answer, moved] = posted.pop();
      assert.equal(answer.error, undefined);
      assert.ok(moved.length === (kind === "fused" ? 1 : 5) && moved.every((buffer) => buffer.byteLength > 0));
    }
  }
});

test("a worker answers, the newest ask first, and the arrays stay here", async () => {
  globalThis.Worker = NodeWorker;
  assert.deepEqual(await answersTo(asks), expected);
  assert.equal(NodeWorker.count, 1);
  assert.equal(asks[0][3].layer.queries.length, 2 * 13 * 5);
});

test("several workers share the work, each of them one ask at a time", async () => {
  globalThis.Worker = NodeWorker;
  const byKind = (answers) => answers.sort((a, b) => `${a.side}${a.index}`.localeCompare(`${b.side}${b.index}`));
  assert.deepEqual(byKind(await answersTo(asks, 3, 2)), byKind([...expected]));
  assert.equal(NodeWorker.count, 2);
});

test("without a worker the same answers come", async () => {
  assert.deepEqual(await answersTo(asks), expected);
  globalThis.Worker = class { constructor() { throw new Error("not here"); } };
  assert.deepEqual(await answersTo(asks), expected);
});

test("a worker that fails to start or to take an ask is done without", async () => {
  const prevented = [];
  globalThis.Worker = class {
    postMessage() { setTimeout(() => this.onerror({ preventDefault: () => prevented.push(1) }), 5); }
    terminate() {}
  };
  assert.deepEqual(await answersTo(asks), expected);
  assert.equal(prevented.length, 1);
  globalThis.Worker = class {
    postMessage() { throw new Error("cannot be cloned"); }
    terminate() {}
  };
  assert.deepEqual(await answersTo(asks), expected);
});

test("the higher priority first, nothing twice, and asked again it moves up", async () => {
  const survey = (index, priority) => ["survey", "a", index, { layer: layerOf(index), geometry }, priority];
  const answers = await answersTo([survey(1), survey(2), survey(3, 1), survey(4), survey(2), survey(5, -1)], 5);
  assert.deepEqual(answers.map(({ index }) => index), [3, 2, 4, 1, 5]);
});

test("what is cancelled does not come, also when it is under way; asked again it does", async () => {
  globalThis.Worker = NodeWorker;
  const answers = [], surveyor = createSurveyor((answer) => answers.push(answer), 1);
  const begun = new Promise((resolve) => {
    surveyor.ask("survey", "old", 0, { layer: () => (resolve(), layerOf(1)), geometry });
  });
  await begun;
  surveyor.ask("survey", "old", 1, { layer: layerOf(1), geometry });
  surveyor.ask("survey", "new", 0, { layer: layerOf(2), geometry });
  surveyor.cancel("old");
  surveyor.ask("survey", "old", 0, { layer: layerOf(3), geometry });
  surveyor.ask("survey", "none", 0, { layer: () => null, geometry });
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(answers.map(({ side, index }) => `${side} ${index}`), ["old 0", "new 0"]);
  assert.deepEqual(answers[0].result, surveyLayer(layerOf(3), geometry, kernels));
  surveyor.close();
  surveyor.ask("survey", "late", 0, { layer: layerOf(2), geometry });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(answers.length, 2);
});

test("a failure is told in words and the next ask is answered", async () => {
  const answers = await answersTo([asks[0], ["fused", "c", 0, { layer: { ...layerOf(1), tokens: 1e9 }, how: "min" }]]);
  assert.equal(answers[0].side, "c");
  assert.equal(typeof answers[0].error, "string");
  assert.deepEqual(answers[1], expected[2]);
});
