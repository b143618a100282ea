import assert from "node:assert/strict";
import { test } from "node:test";
import { tileColumns } from "../../vizvit/explorer/js/draw/layout.js";
import { percent, plain } from "../../vizvit/explorer/js/draw/numbers.js";
import { areaName, fill, tokenName } from "../../vizvit/explorer/js/draw/words.js";

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

test("numbers and tokens in words", () => {
  assert.deepEqual([0, 1e-6, 0.000344, 0.00344, 0.0344, 0.344, 1].map(percent),
    ["0 %", "< 0.001 %", "0.034 %", "0.34 %", "3.4 %", "34.4 %", "100.0 %"]);
  assert.equal(fill("{a} of {b} {c}", { a: 0, b: "x" }), "0 of x {c}");
  const capture = { prefix_names: ["class", "register 1"], cols: 5 }, texts = { patch: "row {row}, column {col}" };
  assert.equal(tokenName(capture, texts, 1), "register 1");
  assert.equal(tokenName(capture, texts, 2 + 7), "row 1, column 2");
  assert.equal(areaName({ area_name: "{top}-{bottom} {left}-{right} {count}" }, [1, 2, 3, 5]), "1-3 2-5 12");
  assert.deepEqual([-0.25, -0.0125, 1e-9].map(percent), ["−25.0 %", "−1.3 %", "< 0.001 %"]);
  assert.deepEqual([12.3456, 0, -0.5, 1.234e-5, -Infinity].map((value) => plain(value, 3)), ["12.3", "0", "−0.5", "1.23e−5", "−∞"]);
});
