import assert from "node:assert/strict";
import { test } from "node:test";
import { paintMap } from "../../vizvit/explorer/js/colour.js";
import { tileColumns } from "../../vizvit/explorer/js/layout.js";
import { fill, percent, tokenName } from "../../vizvit/explorer/js/words.js";

const space = { width: 560, height: 700, ratio: 1, gap: 8, foot: 26 };

test("head maps are as large as the height allows", () => {
  assert.equal(tileColumns({ ...space, count: 4 }), 2);
  assert.equal(tileColumns({ ...space, count: 13 }), 4);
  assert.equal(tileColumns({ ...space, count: 1 }), 1);
  assert.equal(tileColumns({ ...space, count: 400 }), 7); // never smaller than can be seen
});

test("without a height they get a comfortable width", () => {
  assert.equal(tileColumns({ ...space, width: 358, height: 0, count: 13 }), 3);
  assert.equal(tileColumns({ ...space, width: 40, height: 0, count: 13 }), 1);
});

test("a map is painted row by row from the first patch on", () => {
  const colours = Uint32Array.from({ length: 256 }, (_, i) => i);
  const target = new Uint32Array(6);
  paintMap(target, 3, Float32Array.of(9, 0, 0.25, 0.5, 1), 1, 2, 2, 0.5, colours);
  assert.deepEqual([...target], [0, 128, 0, 255, 255, 0]); // above the maximum is the brightest
  paintMap(target, 3, new Float32Array(5), 1, 2, 2, 0, colours);
  assert.deepEqual([...target], [0, 0, 0, 0, 0, 0]);
});

test("numbers and tokens in words", () => {
  assert.deepEqual([0, 1e-6, 0.000344, 0.00344, 0.0344, 0.344, 1].map(percent),
    ["0.0 %", "< 0.001 %", "0.034 %", "0.34 %", "3.4 %", "34.4 %", "100.0 %"]);
  assert.equal(fill("{a} of {b} {c}", { a: 0, b: "x" }), "0 of x {c}");
  const capture = { prefix_names: ["class", "register 1"], cols: 5 }, texts = { patch: "row {row}, column {col}" };
  assert.equal(tokenName(capture, texts, 1), "register 1");
  assert.equal(tokenName(capture, texts, 2 + 7), "row 1, column 2");
});
