// All blocks at once: how tokens grow, how alike patches become, and what would be predicted at every layer
// (vizvit/walk/streams.py).

import { principalComponents } from "../forward/components.js";
import { apartOf, greatest, lengthOf, predictedBy, rowOf } from "./formulas.js";
import { readOut } from "./logits.js";

const SHARES = [0.1, 0.5, 0.9, 0.99], COLOURS = 3, LIKELIEST = 5;

// By stream, the first one what enters the first block. norms: [token]; patchNorms: [share] of [stream], of the patches';
// similarity: mean cosine of two patches; rgb: [patch, 3] in 0..1; lens, lensProbability: the likeliest classes; patchLens,
// patchProbability: [patch], the likeliest class of each patch alone. Lenses are null without classes.
export function depth(a, _, kind) {
  const { model, found } = a, { tokens, dim, prefix, rows, cols } = model, count = rows * cols, ofPatches = (stream) => stream.subarray(prefix * dim);
  const norms = found.streams.map((stream) => Float64Array.from({ length: tokens }, (_, token) => lengthOf(rowOf(stream, token, dim))));
  const sorted = norms.map((row) => row.slice(prefix).sort()), patchNorms = SHARES.map((share) => Float64Array.from(sorted, (row) => percentile(row, share)));
  const similarity = found.streams.map((stream, layer) => likeness(ofPatches(stream), norms[layer].subarray(prefix), dim));
  const whole = { norms, patchNorms, similarity, rgb: coloursOf(found.streams.map(ofPatches), count, dim), lens: null, patchLens: null };
  const last = readOut(a, found.streams.at(-1));
  if (!last.logits) return { ...whole, difference: apartOf([last.features, found.features]) };
  const lenses = found.streams.map((stream) => lensOf(predictedBy(kind, readOut(a, stream).logits), kind, LIKELIEST));
  const alone = found.streams.map((stream) => {
    const logits = a.logitsOfEach(stream), first = Array.from({ length: count }, (_, patch) => lensOf(predictedBy(kind, rowOf(logits, prefix + patch, model.classes)), kind, 1));
    return { classes: first.map(({ classes }) => classes[0]), probabilities: Float64Array.from(first, ({ probabilities }) => probabilities[0]) };
  });
  return {
    ...whole, lens: lenses.map(({ classes }) => classes), lensProbability: lenses.map(({ probabilities }) => probabilities),
    patchLens: alone.map(({ classes }) => classes), patchProbability: alone.map(({ probabilities }) => probabilities),
    difference: apartOf([last.features, found.features], [last.logits, found.logits]),
  };
}

function lensOf(predictions, kind, count) {
  const classes = kind === "value" ? [...predictions.keys()].slice(0, count) : count === 1 ? [leadingOf(predictions)] : greatest(predictions, count);
  return { classes, probabilities: classes.map((index) => predictions[index]) };
}

function leadingOf(values) {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}

// As NumPy finds it, of sorted numbers.
function percentile(sorted, share) {
  const place = share * (sorted.length - 1), index = Math.floor(place), next = Math.min(index + 1, sorted.length - 1);
  return sorted[index] + (place - index) * (sorted[next] - sorted[index]);
}

// |Σ unit|² counts every pair twice and every patch with itself once.
function likeness(vectors, norms, dim) {
  const sum = new Float64Array(dim), count = norms.length;
  let own = 0;
  for (let patch = 0, at = 0; patch < count; patch++) {
    const length = Math.max(norms[patch], 1e-12);
    own += (norms[patch] / length) ** 2;
    for (let i = 0; i < dim; i++, at++) sum[i] += vectors[at] / length;
  }
  return (sum.reduce((all, value) => all + value * value, 0) - own) / Math.max(count * (count - 1), 1);
}

// Principal components of each layer, each stretched over its range; signs follow the layer before.
function coloursOf(layers, count, dim) {
  let before = null;
  return layers.map((vectors) => {
    const { scores } = principalComponents(vectors, count, dim, COLOURS), out = new Float32Array(count * COLOURS);
    for (let part = 0; part < COLOURS; part++) {
      let along = 0, low = Infinity, high = -Infinity;
      for (let at = part; before && at < scores.length; at += COLOURS) along += scores[at] * before[at];
      for (let at = part; at < scores.length; at += COLOURS) {
        if (along < 0) scores[at] = -scores[at];
        low = Math.min(low, scores[at]);
        high = Math.max(high, scores[at]);
      }
      for (let at = part; at < scores.length; at += COLOURS) out[at] = (scores[at] - low) / Math.max(high - low, 1e-12);
    }
    before = scores;
    return out;
  });
}
