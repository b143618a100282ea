import assert from "node:assert/strict";
import { test } from "node:test";
import { comparable, differenceOf, linkedBack, linkedHead, linkedLayer, linkedToken } from "../../vizvit/explorer/js/compute/link.js";

const headerOf = (rows, cols, names = ["class"], size = 16, image = { width: cols * size, height: rows * size }) =>
  ({ rows, cols, prefix_names: names, patch_size: size, image });
const patchOf = ({ cols, prefix_names: names }, row, col) => names.length + row * cols + col;
const place = { kind: "place" }, flip = { kind: "flip" }, crop = { kind: "crop", box: [0.25, 0.5, 0.75, 1] };

test("the same grid: every token is itself, or its mirror image", () => {
  const a = headerOf(3, 5, ["class", "register 1"]);
  for (let token = 0; token < 17; token++) {
    assert.equal(linkedToken(a, a, place, token), token);
    assert.equal(linkedToken(a, a, flip, linkedToken(a, a, flip, token)), token);
    assert.equal(linkedBack(a, a, flip, token), linkedToken(a, a, flip, token));
  }
  assert.equal(linkedToken(a, a, flip, patchOf(a, 1, 0)), patchOf(a, 1, 4));
  assert.equal(linkedToken(a, a, flip, 1), 1);
});

test("prefix tokens go by name, then to the first that there is", () => {
  const a = headerOf(2, 2, ["class", "register 1"]), b = headerOf(2, 2, ["register 1", "class"]), none = headerOf(2, 2, []);
  const other = headerOf(2, 2, ["distillation"]);
  assert.deepEqual([0, 1].map((token) => linkedToken(a, b, place, token)), [1, 0]);
  assert.deepEqual([0, 1].map((token) => linkedToken(a, other, place, token)), [0, 0]);
  assert.equal(linkedToken(a, none, place, 0), null);
  assert.equal(linkedBack(none, a, place, 0), null);
  assert.equal(linkedToken(none, a, place, 0), 2);
});

test("other grids: the patch that holds the centre", () => {
  const coarse = headerOf(2, 2, []), fine = headerOf(4, 6, ["class"], 8);
  assert.equal(linkedToken(fine, coarse, place, patchOf(fine, 3, 2)), patchOf(coarse, 1, 0));
  assert.equal(linkedToken(coarse, fine, place, patchOf(coarse, 0, 1)), patchOf(fine, 1, 4));
  assert.equal(linkedToken(coarse, fine, flip, patchOf(coarse, 0, 1)), patchOf(fine, 1, 1));
  assert.equal(linkedBack(fine, coarse, place, patchOf(coarse, 0, 1)), patchOf(fine, 1, 4));
});

test("a border belongs to the later patch whatever the rounding", () => {
  for (let count = 1; count < 40; count++) {
    const a = headerOf(1, count, [], 14), b = headerOf(1, 2 * count, [], 7);
    for (let col = 0; col < count; col++) assert.equal(linkedToken(a, b, place, col), 2 * col + 1);
  }
});

test("a picture wider than its patches: what no patch covers is nowhere", () => {
  const a = headerOf(2, 4), b = headerOf(2, 4, ["class"], 16, { width: 80, height: 32 }); // a fifth is left over
  assert.equal(linkedToken(a, b, place, patchOf(a, 0, 3)), null);
  assert.equal(linkedToken(a, b, place, patchOf(a, 0, 2)), patchOf(b, 0, 3));
});

test("a crop shows a part, larger", () => {
  const a = headerOf(4, 8), b = headerOf(4, 8);
  assert.equal(linkedToken(a, b, crop, patchOf(a, 0, 4)), null);
  assert.equal(linkedToken(a, b, crop, patchOf(a, 2, 1)), null);
  assert.equal(linkedToken(a, b, crop, patchOf(a, 2, 2)), patchOf(b, 1, 1));
  assert.equal(linkedToken(a, b, crop, patchOf(a, 3, 5)), patchOf(b, 3, 7));
  assert.equal(linkedToken(a, b, crop, 0), 0);
  for (let patch = 1; patch <= 32; patch++) {
    const back = linkedBack(a, b, crop, patch);
    assert.ok(back >= patchOf(a, 2, 2) && (back - 1) % 8 >= 2 && (back - 1) % 8 < 6);
  }
  assert.equal(linkedBack(a, b, crop, patchOf(b, 3, 7)), patchOf(a, 3, 5));
});

test("layers by depth, heads by number", () => {
  assert.deepEqual([0, 5, 11].map((layer) => linkedLayer(layer, 12, 12)), [0, 5, 11]);
  assert.deepEqual([0, 5, 6, 11].map((layer) => linkedLayer(layer, 12, 24)), [0, 10, 13, 23]);
  assert.deepEqual([0, 12, 23].map((layer) => linkedLayer(layer, 24, 12)), [0, 6, 11]);
  assert.equal(linkedLayer(0, 1, 6), 5);
  assert.deepEqual([null, 0, 5, 6].map((head) => linkedHead(head, 12, 6)), [null, 0, 5, null]);
});

test("captures of one grid are subtracted, whatever their prefix tokens", () => {
  const a = headerOf(2, 3);
  assert.ok(comparable(a, headerOf(2, 3), place) && comparable(a, a, flip) && comparable(a, headerOf(2, 3, ["class", "distillation"]), place));
  assert.ok(!comparable(a, a, crop) && !comparable(a, headerOf(3, 2), place));
});

test("differences, B less A, in A's order", () => {
  const a = headerOf(1, 3), rowA = Float32Array.of(0.25, 0, 0.25, 0.5), rowB = Float32Array.of(0.5, 0.5, 0, 0);
  assert.deepEqual([...differenceOf(rowA, rowB, a, a, place)], [0.25, 0.5, -0.25, -0.5]);
  assert.deepEqual([...differenceOf(rowA, rowB, a, a, flip)], [0.25, 0, -0.25, 0]);
  const distilled = headerOf(1, 3, ["class", "distillation"]), rowC = Float32Array.of(0.5, 0.25, 0.5, 0, 0);
  assert.deepEqual([...differenceOf(rowA, rowC, a, distilled, place)], [0.25, 0.5, -0.25, -0.5]);
  assert.deepEqual([...differenceOf(rowC, rowA, distilled, a, place)], [-0.25, 0, -0.5, 0.25, 0.5]);
  assert.equal(differenceOf(rowA, rowB, a, a, place, new Float32Array(9)).length, 4); // of another model before
  const wide = headerOf(3, 5, ["class", "distillation"]);
  const rows = [1, 2].map((seed) => Float32Array.from({ length: 17 }, (_, i) => Math.sin(seed + i)));
  const found = differenceOf(...rows, wide, wide, flip);
  found.forEach((value, token) => assert.equal(value, Math.fround(rows[1][linkedToken(wide, wide, flip, token)] - rows[0][token])));
});
