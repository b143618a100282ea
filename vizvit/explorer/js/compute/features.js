// Features from the bytes that vizvit/explorer/features.py sends: cosines of token vectors, components, norms.

import { numbersAt, readFrame } from "./payload.js";
import { percentilesOf } from "./scaling.js";

// { header: of the frame around it, features }. features: { capture, compared (whose patches the components are of besides), dim, norms [layer + 1][token], thresholds [layer],
// components [layer] of Float32Array [patch, count], count, shares [layer][component], ends [layer][component] of their colours, sections: layer -> its bytes }.
export function readFeatures(bytes, { num_layers: layers, num_tokens: tokens, rows, cols }) {
  const buffer = bytes.slice().buffer, outer = readFrame(buffer, 0), { header, body } = readFrame(buffer, outer.body);
  const norms = new Float32Array(buffer, body + header.norms, (layers + 1) * tokens);
  const { count } = header.components, size = rows * cols * count;
  const components = numbersAt(buffer, body, header.components, layers * size);
  return {
    header: outer.header,
    features: {
      capture: header.capture, compared: header.compared ?? null, ends: header.ends ?? null, dim: header.dim, thresholds: header.thresholds, count, shares: header.shares,
      norms: Array.from({ length: layers + 1 }, (_, row) => norms.subarray(row * tokens, (row + 1) * tokens)),
      components: Array.from({ length: layers }, (_, layer) => components.subarray(layer * size, (layer + 1) * size)),
      sections: new Map(header.layers.map((section) => [section.layer, { section, buffer, body }])),
    },
  };
}

// Which capture the bytes are of, without reading more of them.
export function captureOfFeatures(bytes) {
  const buffer = bytes.slice().buffer;
  return readFrame(buffer, readFrame(buffer, 0).body).header.capture;
}

// The vectors of one layer, each one long: [token, dim].
export function decodeVectors({ section, buffer, body }, tokens, dim) {
  const mean = new Float32Array(buffer, body + section.mean, dim), step = new Float32Array(buffer, body + section.step, dim);
  const codes = new Int8Array(buffer, body + section.codes, tokens * dim), vectors = new Float32Array(tokens * dim);
  for (let token = 0, at = 0; token < tokens; token++) {
    for (let i = 0; i < dim; i++, at++) vectors[at] = mean[i] + step[i] * codes[at];
  }
  return vectors;
}

// The mean vector of some tokens: its products with others are the means of their cosines.
export function meanVector(vectors, dim, tokens) {
  const mean = new Float64Array(dim);
  for (const token of tokens) for (let i = 0, at = token * dim; i < dim; i++, at++) mean[i] += vectors[at] / tokens.length;
  return mean;
}

// The cosine of a vector with each token's, [token].
export function cosinesWith(vectors, dim, query, out = new Float32Array(vectors.length / dim)) {
  for (let token = 0, at = 0; token < out.length; token++) {
    let a = 0, b = 0, c = 0, d = 0, i = 0;
    for (; i + 3 < dim; i += 4, at += 4) {
      a += query[i] * vectors[at];
      b += query[i + 1] * vectors[at + 1];
      c += query[i + 2] * vectors[at + 2];
      d += query[i + 3] * vectors[at + 3];
    }
    for (; i < dim; i++, at++) a += query[i] * vectors[at];
    out[token] = a + b + c + d;
  }
  return out;
}

// What the colours of features run between: the 1st and the 99th percentile of all maps together.
export function featureLimits(maps) {
  const count = maps.reduce((sum, map) => sum + map.count, 0), values = new Float32Array(count);
  let at = 0;
  for (const { row, first, count: some } of maps) {
    values.set(row.subarray(first, first + some), at);
    at += some;
  }
  const [low, high] = percentilesOf({ row: values, first: 0, count });
  return low < high ? { low, high, log: false } : { low: low - 0.5, high: low + 0.5, log: false };
}

// The first three components [patch, count] as red, green and blue, RGBA words: each between its `ends`, or from its 1st to
// its 99th percentile.
export function componentColours(components, count, ends = null, out = new Uint32Array(components.length / count)) {
  const patches = components.length / count, channel = new Float32Array(patches);
  out.fill(0xff000000);
  for (let part = 0; part < Math.min(count, 3); part++) {
    for (let patch = 0; patch < patches; patch++) channel[patch] = components[patch * count + part];
    const given = ends && ends[part][0] < ends[part][1];
    const { low, high } = given ? { low: ends[part][0], high: ends[part][1] } : featureLimits([{ row: channel, first: 0, count: patches }]);
    for (let patch = 0; patch < patches; patch++) {
      const share = Math.min(Math.max((channel[patch] - low) / (high - low), 0), 1);
      out[patch] |= Math.floor(share * 255 + 0.5) << (8 * part);
    }
  }
  return out;
}

// How many values fall into each of `bins` equal parts of their range: { low, high, counts }.
export function histogramOf(row, first, bins) {
  let low = Infinity, high = -Infinity;
  for (let i = first; i < row.length; i++) [low, high] = [Math.min(low, row[i]), Math.max(high, row[i])];
  const counts = new Array(bins).fill(0);
  for (let i = first; i < row.length; i++) counts[Math.min(bins - 1, Math.floor(((row[i] - low) / (high - low || 1)) * bins))]++;
  return { low, high, counts };
}
