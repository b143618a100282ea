import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHalves, readPayload } from "../../vizvit/explorer/js/compute/payload.js";

test("half-precision numbers of every kind", () => {
  const bits = [0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x7c00, 0xfc00, 0x3555];
  const values = [0, -0, 1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, Infinity, -Infinity, 0.333251953125];
  assert.deepEqual([...decodeHalves(Uint16Array.from(bits))], values);
  assert.ok(Number.isNaN(decodeHalves(Uint16Array.of(0x7e00))[0]));
});

test("an exponent moves every number and leaves masks masked", () => {
  assert.deepEqual([...decodeHalves(Uint16Array.of(0x3c00, 0xfc00), -3)], [0.125, -Infinity]);
});

test("other bytes are refused", () => {
  assert.throws(() => readPayload(new Uint8Array(32)), /not an explorer payload/);
});
