import assert from "node:assert/strict";
import { test } from "node:test";
import { branch, thickness } from "../../vizvit/explorer/walk/spine.js";

test("a wider tensor is a thicker line", () => {
  const widths = [48, 192, 384, 768, 1024].map(thickness);
  assert.deepEqual(widths, [...widths].sort((a, b) => a - b));
  assert.equal(new Set(widths).size, widths.length);
});

test("a branch is as thick as what it adds", () => {
  assert.ok(branch(2, 4) > branch(1, 4));
  assert.equal(branch(1, 4), branch(2, 8));
  assert.equal(branch(null, 4), branch(1, 0)); // not known, or nothing to compare with
});
