// What tests/test_explorer_js.py leaves for these tests: payloads and what NumPy and PyTorch make of the same captures.

import { readFileSync } from "node:fs";
import { decodeLayer, readPayload } from "../../vizvit/explorer/js/compute/payload.js";

const folder = process.env.VIZVIT_FIXTURES;

export const skip = folder ? false : "run through pytest: tests/test_explorer_js.py";
export const { made, real, families, maps } = folder ? jsonOf("cases") : { made: [], real: [], families: [], maps: [] };

export function jsonOf(name) {
  return JSON.parse(readFileSync(`${folder}/${name}.json`));
}

export function payloadOf(name) {
  const file = readFileSync(`${folder}/${name}.payload`);
  return readPayload(new Uint8Array(file.buffer, file.byteOffset, file.length).subarray(1)); // unaligned
}

// The header and the decoded arrays of every layer.
export function captureOf(name) {
  const { capture, sections } = payloadOf(name), { rows, cols, patch_size, prefix_names: names } = capture;
  const layers = [...sections.values()].map((section) => decodeLayer(capture, section));
  return { capture, layers, geometry: { rows, cols, patch_size, prefix: names.length } };
}

// The bytes of a capture's features, as they come.
export function featureBytesOf(name) {
  const file = readFileSync(`${folder}/${name}.features`);
  return new Uint8Array(file.buffer, file.byteOffset, file.length).subarray(1);
}

export function doublesOf(name) {
  const file = readFileSync(`${folder}/${name}`);
  return new Float64Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
}

// The largest difference between two lists of numbers, as a share of the largest magnitude in `expected`.
export function largestDifference(found, expected) {
  if (found.length !== expected.length) return Infinity;
  let most = 1e-30, difference = 0;
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs(expected[i]));
    if (!(Math.abs(found[i] - expected[i]) <= difference)) difference = Math.abs(found[i] - expected[i]);
  }
  return difference / most;
}
