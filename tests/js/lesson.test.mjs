// The model in JavaScript beside PyTorch, and pictures resized beside Pillow: from what tests/test_lesson.py leaves.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { attentionRows } from "../../vizvit/explorer/js/compute/attention.js";
import { readFeatures } from "../../vizvit/explorer/js/compute/features.js";
import { decodeLayer, readPayload } from "../../vizvit/explorer/js/compute/payload.js";
import { takeApart } from "../../vizvit/explorer/js/byhand/stages.js";
import { encodeCapture, frameOf } from "../../vizvit/explorer/js/forward/encode.js";
import { encodeFeatures } from "../../vizvit/explorer/js/forward/featureblob.js";
import { highPopulation } from "../../vizvit/explorer/js/forward/populations.js";
import { patchesOf, viewOf } from "../../vizvit/explorer/js/forward/resize.js";
import { createVit } from "../../vizvit/explorer/js/forward/vit.js";
import { fromBase64, readWeights } from "../../vizvit/explorer/js/forward/weights.js";
import { foremost } from "../../vizvit/explorer/js/lesson/prediction.js";

const folder = process.env.VIZVIT_LESSON, skip = folder ? false : "run through pytest: tests/test_lesson.py";
const bytesOf = (name) => new Uint8Array(readFileSync(`${folder}/${name}`)).slice();
const floatsOf = (name) => new Float32Array(bytesOf(name).buffer);
const weightsOf = (name) => fromBase64(readFileSync(`${folder}/${name}.weights`, "latin1"));
const cases = folder ? JSON.parse(readFileSync(`${folder}/cases.json`)) : { models: [], sizes: [], rows: [] };

function pictureOf({ name, width, height }) {
  return { data: bytesOf(`${name}.rgba`), width, height };
}

function farthest(found, expected) {
  let most = 0;
  assert.equal(found.length, expected.length);
  for (let i = 0; i < expected.length; i++) if (!(Math.abs(found[i] - expected[i]) <= most)) most = Math.abs(found[i] - expected[i]);
  return most;
}

for (const { name, pictures, queries } of cases.models) {
  test(`${name} gives PyTorch's logits and attention`, { skip }, () => {
    const { model, tensors } = readWeights(weightsOf(name));
    const { forward } = createVit(model, tensors);
    for (const picture of pictures) {
      const view = viewOf(pictureOf(picture), model), found = forward(patchesOf(view, model));
      assert.equal(Buffer.compare(view, bytesOf(`${picture.name}.view`)), 0, `the view of ${picture.name}`);
      const logits = floatsOf(`${picture.name}.logits`);
      assert.ok(farthest(found.logits ?? [], logits) < 1e-3, `logits of ${picture.name}`);
      const { capture, sections } = readPayload(frameOf({ texts: {} }, encodeCapture(model, found, view, "one", {})));
      const expected = floatsOf(`${picture.name}.attention`), { num_heads: heads, num_tokens: tokens } = capture;
      for (const [layer, section] of sections) queries.forEach((query, place) => {
        const rows = attentionRows(decodeLayer(capture, section), query), at = (layer * queries.length + place) * heads * tokens;
        for (let head = 0; head < heads; head++) {
          const row = expected.subarray(at + head * tokens, at + (head + 1) * tokens);
          assert.ok(farthest(rows.subarray(head * tokens, (head + 1) * tokens), row) <= 2e-3 * Math.max(...row), `${picture.name}, layer ${layer}, head ${head}`);
        }
      });
    }
  });
}

// Numbers, and arrays in arrays, in one row.
function flat(value) {
  return typeof value === "number" ? [value] : Array.from(value ?? []).flatMap((one) => flat(one));
}

for (const { name, pictures: [one, other] } of cases.models) {
  test(`the walk by hand through ${name} is the library's`, { skip }, () => {
    const { model, tensors } = readWeights(weightsOf(name)), vit = createVit(model, tensors), { place, stages, look } = JSON.parse(bytesOf(`${name}.walk`).reduce((text, byte) => text + String.fromCharCode(byte), ""));
    const kind = "softmax", [first, second] = [one, other].map((picture) => {
      const view = bytesOf(`${picture.name}.view`), pixels = patchesOf(view, model);
      return { view, pixels, found: vit.forward(pixels) };
    });
    const parts = takeApart({ model, tensors, vit, kept: new Map() }, first), streams = [first, second].map(({ found }) => found.streams[place.layer]);
    const compare = (found, expected, where) => {
      for (const [field, numbers] of Object.entries(expected)) {
        if (field === "absent") assert.equal(found.absent, numbers, where);
        else if (!Array.isArray(numbers)) compare(found[field], numbers, `${where}.${field}`);
        else if (field in found && found[field] !== null && field !== "matrix") {
          const most = Math.max(1, ...numbers.map(Math.abs));
          if (field === "difference" || field === "apart") assert.ok(found[field] < 1e-3, `${where}: differs from the model's own by ${found[field]}`);
          else assert.ok(farthest(flat(found[field]), numbers) < 1e-3 * (where.startsWith("outline") ? most : 1), `${where}.${field}: ${farthest(flat(found[field]), numbers)}`);
          seen.add(`${where}.${field}`);
        }
      }
    };
    const seen = new Set();
    compare(parts.outline(place), stages.outline, "outline");
    for (const [stage, expected] of Object.entries(stages)) if (stage !== "outline") compare(parts.stage(stage, { ...place, streams }, kind), expected, stage);
    assert.ok(seen.size > 50, [...seen].join(" "));
    const { excess, ...where } = parts.look();
    assert.ok(Math.abs(excess - look.excess) < 1e-3);
    assert.deepEqual({ ...where, excess: look.excess }, look);
  });
}

test("features are the library's", { skip }, () => {
  const { model, tensors } = readWeights(weightsOf("features"));
  const { streams } = createVit(model, tensors).forward(patchesOf(bytesOf("features.view"), model));
  const capture = { num_layers: model.layers, num_tokens: model.tokens, rows: model.rows, cols: model.cols };
  const { features: found } = readFeatures(encodeFeatures(model, streams, "one"), capture), { features: expected } = readFeatures(bytesOf("features.python"), capture);
  assert.equal(found.dim, expected.dim);
  found.norms.forEach((row, layer) => assert.ok(farthest(row, expected.norms[layer]) < 1e-4 * Math.max(...row)));
  found.components.forEach((part, layer) => assert.ok(farthest(part, expected.components[layer]) < 2e-3 * Math.max(...part.map(Math.abs)), `components of layer ${layer}`));
  found.shares.forEach((row, layer) => assert.ok(farthest(row, expected.shares[layer]) < 1e-4));
  found.thresholds.forEach((start, layer) => assert.ok(start === expected.thresholds[layer] || Math.abs(start - expected.thresholds[layer]) < 1e-3 * start));
});

test("populations are the library's", { skip }, () => {
  for (const { row, start } of cases.rows) {
    const found = highPopulation(row);
    assert.ok(found === start || Math.abs(found - start) < 1e-6 * Math.abs(start), `${found} instead of ${start}`);
  }
  assert.ok(cases.rows.some(({ start }) => start === null) && cases.rows.some(({ start }) => start !== null));
});

test("pictures are resized as Pillow does it", { skip }, () => {
  for (const { name, resize, rows, cols, ...picture } of cases.sizes) {
    assert.equal(Buffer.compare(viewOf(pictureOf({ name, ...picture }), { resize, rows, cols, patch_size: 1 }), bytesOf(`${name}.view`)), 0, name);
  }
});

test("predictions come with the names that come first", () => {
  const labels = ["tabby, tabby cat", "coffee", "rocket"], texts = (kind, logits) => foremost(Float32Array.from(logits), labels, kind).map(({ name, text }) => `${name} ${text}`);
  assert.deepEqual(texts("softmax", [0, Math.log(2), Math.log(7)]), ["rocket 70.0 %", "coffee 20.0 %", "tabby 10.0 %"]);
  assert.deepEqual(texts("sigmoid", [0, 100, -3]), ["coffee 100.0 %", "tabby 50.0 %", "rocket 4.7 %"]);
  assert.deepEqual(texts("value", [1.5, -2, 0]), ["tabby 1.5", "coffee −2", "rocket 0"]);
});
