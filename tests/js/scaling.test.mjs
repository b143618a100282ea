import assert from "node:assert/strict";
import { test } from "node:test";
import { colourIndex, limitsOf, paintIndices, shadeMap, signedLimits } from "../../vizvit/explorer/js/compute/scaling.js";
import { smoothMap } from "../../vizvit/explorer/js/compute/smoothing.js";
import { ticksOf } from "../../vizvit/explorer/js/compute/ticks.js";
import { jsonOf, largestDifference, maps, skip } from "./fixtures.mjs";

const mapOf = (values, before = 0) => ({ row: Float32Array.of(...Array(before).fill(9), ...values), first: before, count: values.length });
const close = (found, expected) => assert.ok(Math.abs(found - expected) <= 1e-5 * Math.max(1e-9, Math.abs(expected)), `${found} ${expected}`);

test("limits are those of the figures", { skip }, () => {
  assert.ok(maps.length > 4);
  for (const { mode, curve, limits } of jsonOf("limits")) {
    limitsOf(maps.map((values) => mapOf(values, 2)), mode, curve).forEach((found, index) => {
      close(found.low, limits[index][0]);
      close(found.high, limits[index][1]);
      assert.equal(found.log, curve === "log");
      const { low, high } = found;
      assert.equal(found.clipped, maps[index].some((value) => Math.fround(value) < low || Math.fround(value) > high));
    });
  }
});

test("what is clipped is said", () => {
  const clipped = (values, mode, curve) => limitsOf([mapOf(values)], mode, curve)[0].clipped;
  const many = Array.from({ length: 200 }, (_, i) => (i + 1) / 1000);
  assert.equal(clipped(many, "own", "linear"), false);
  assert.equal(clipped(many, "percentile", "linear"), true);
  assert.equal(clipped(many, "own", "log"), false);
  assert.equal(clipped([...many, 0], "own", "log"), true);
  assert.equal(clipped([1e-6, 0.5], "own", "log"), true);
  assert.equal(clipped([0.5, 0.5], "percentile", "linear"), false);
});

test("what is even looks even: two thirds of a linear scale, the middle of a logarithmic one", () => {
  const place = (values, mode, curve) => colourIndex(values[0], limitsOf([mapOf(values)], mode, curve)[0]);
  for (const mode of ["own", "shared", "percentile"]) {
    assert.deepEqual(["linear", "log"].map((curve) => place([0.25, 0.25, 0.25], mode, curve)), [170, 128]);
  }
  const even = (values, mode) => limitsOf([mapOf(values)], mode, "linear")[0].even;
  assert.deepEqual([even([0.2, 0.25], "own"), even([0.2, 0.25], "absolute"), even([0.1, 0.5], "own")], [true, false, false]);
});

test("no map gives colours that are not numbers", () => {
  for (const values of [[0, 0, 0], [0.25, 0.25, 0.25], [0], [1e-30, 1e-30], [0, 1e-38, 1]]) {
    for (const mode of ["own", "shared", "absolute", "percentile"]) {
      for (const curve of ["linear", "log"]) {
        const [limits] = limitsOf([mapOf(values)], mode, curve);
        const found = paintIndices(Float32Array.from(values), 0, values.length, limits, new Float64Array(values.length));
        for (const index of found) assert.ok(index >= 0 && index < 256);
        for (const { at, value } of ticksOf(limits)) assert.ok(Number.isFinite(at) && Number.isFinite(value));
      }
    }
  }
  const limits = { low: 0, high: 1, log: false };
  assert.deepEqual([NaN, -1, 0, 0.5, 1, 2].map((value) => colourIndex(value, limits)), [0, 0, 0, 128, 255, 255]);
  assert.equal(colourIndex(0.1, { low: 1e-4, high: 1, log: true }), 191);
});

test("a map is shaded row by row from the first patch on, as colourIndex says", () => {
  const colours = Uint32Array.from({ length: 256 }, (_, i) => i + 1), row = Float32Array.of(9, 0, 1e-5, 1e-3, 0.3, 0.5, 2);
  for (const limits of [{ low: 0, high: 0.5, log: false }, { low: 1e-4, high: 0.5, log: true }, { low: -1, high: 1, log: false }]) {
    const target = new Uint32Array(14);
    shadeMap(target, 4, row, 1, 2, 3, limits, colours, 5);
    const index = [...row.subarray(1)].map((value) => colourIndex(value, limits) + 1);
    assert.deepEqual([...target], [0, 0, 0, 0, 0, ...index.slice(0, 3), 0, ...index.slice(3), 0, 0]);
  }
});

test("signed values have nought in the middle", () => {
  assert.deepEqual(signedLimits(Float32Array.of(9, 0.25, -0.5, 0), 1, 3), { low: -0.5, high: 0.5, log: false, clipped: false });
  const even = signedLimits(new Float32Array(3), 0, 3);
  assert.equal(colourIndex(0, even), 128);
});

test("ticks are round numbers between the ends", () => {
  const values = (limits, wanted) => ticksOf(limits, wanted).map(({ value }) => value);
  assert.deepEqual(values({ low: 0, high: 1 }), [0, 0.5, 1]);
  assert.deepEqual(values({ low: 0, high: 0.37 }), [0, 0.2, 0.37]);
  assert.deepEqual(values({ low: -0.03, high: 0.03 }), [-0.03, 0, 0.03]);
  assert.deepEqual(values({ low: 0.0123, high: 0.0456 }, 4), [0.0123, 0.02, 0.04, 0.0456]);
  assert.deepEqual(values({ low: 0, high: 1 }, 2), [0, 1]);
  assert.deepEqual(values({ low: 1e-4, high: 1, log: true }), [1e-4, 1e-3, 1e-2, 1e-1, 1]);
  assert.deepEqual(values({ low: 3e-5, high: 0.09, log: true }), [3e-5, 1e-4, 1e-3, 1e-2, 0.09]);
  assert.deepEqual(values({ low: 0.2, high: 0.3, log: true }), [0.2, 0.3]);
  for (let seed = 1; seed < 300; seed++) {
    const high = Math.abs(Math.sin(seed * 12.9898)) ** 4 + 1e-7, low = seed % 3 ? 0 : high * Math.abs(Math.sin(seed));
    for (const limits of [{ low, high, log: false }, { low: Math.max(low, high * 1e-4), high, log: true }]) {
      const ticks = ticksOf(limits, 3 + (seed % 4));
      assert.ok(ticks.every(({ at }, i) => i === 0 || at - ticks[i - 1].at >= 0.12 - 1e-12), JSON.stringify([limits, ticks]));
      assert.ok(ticks.length <= 9 && (limits.log || ticks.length >= 3));
      for (const { at, value } of ticks) assert.ok(Math.abs(255 * at - colourIndex(value, limits)) <= 0.5 + 1e-9);
    }
  }
});

test("smooth maps are OpenCV's", { skip }, () => {
  for (const { rows, cols, factor, values, smooth } of jsonOf("smooth")) {
    const found = smoothMap(Float32Array.of(7, ...values), 1, rows, cols, factor);
    assert.ok(largestDifference(found, smooth) < 1e-5, `${rows} × ${cols}, ${factor}`);
    const out = new Float32Array(found.length);
    assert.equal(smoothMap(Float32Array.from(values), 0, rows, cols, factor, out), out);
    assert.deepEqual(out, found);
  }
});
