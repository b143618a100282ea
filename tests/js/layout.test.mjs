import assert from "node:assert/strict";
import { test } from "node:test";
import { tileColumns } from "../../vizvit/explorer/js/draw/layout.js";
import { fixedText, percent, percentShort, plain, roundingText } from "../../vizvit/explorer/js/draw/numbers.js";
import { areaName, fill, tokenName } from "../../vizvit/explorer/js/draw/words.js";
import { jsonOf, skip } from "./fixtures.mjs";

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

test("tokens in words", () => {
  assert.equal(fill("{a} of {b} {c}", { a: 0, b: "x" }), "0 of x {c}");
  const capture = { prefix_names: ["class", "register 1"], cols: 5 }, texts = { patch: "row {row}, column {col}" };
  assert.equal(tokenName(capture, texts, 1), "register 1");
  assert.equal(tokenName(capture, texts, 2 + 7), "row 1, column 2");
  assert.equal(areaName({ area_name: "{top}-{bottom} {left}-{right} {count}" }, [1, 2, 3, 5]), "1-3 2-5 12");
});

test("numbers are written as on the pages", { skip }, () => {
  for (const { value, number, share, whole, fixed, rounding } of jsonOf("numbers")) {
    const written = { number: plain(value, 3), share: percent(value), whole: percent(value, 0), fixed: fixedText(value, 2), rounding: roundingText(value) };
    assert.deepEqual(written, { number, share, whole, fixed, rounding });
  }
  assert.deepEqual([0, 0.0994, 0.0996, 0.0004].map(percentShort), ["0 %", "9.9 %", "10 %", "< 0.1 %"]);
  assert.deepEqual([1234.5678, 12.34567, -Infinity].map((value) => plain(value, 5)), ["1,234.6", "12.346", "−∞"]);
});
