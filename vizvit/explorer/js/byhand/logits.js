// The prediction: the last norm, the pooling, the classifier, and which dimensions decide (vizvit/walk/logits.py and
// read_out.py).

import { apartOf, greatest, linearOf, normOf, predictedBy, rowOf } from "./formulas.js";

// The model's own read-out of any stream: { pooled, features, distilled: [dim], logits: [classes] or null }.
export function readOut(a, stream) {
  const { model, tensors } = a, { prefix, tokens, dim, classes } = model, normed = (token) => normOf(a, rowOf(stream, token, dim), "norm");
  let pooled = normed(0);
  if (model.pooling === "mean") {
    const first = model.pool_prefix ? 0 : prefix;
    pooled = new Float64Array(dim);
    for (let token = first; token < tokens; token++) normed(token).forEach((value, i) => (pooled[i] += value / (tokens - first)));
  }
  const features = normOf(a, pooled, "fc_norm"), distilled = tensors["head_dist.weight"] ? normed(1) : null;
  const logits = classes ? linearOf(features, tensors, "head") : null;
  if (distilled) linearOf(distilled, tensors, "head_dist").forEach((value, i) => (logits[i] = (logits[i] + value) / 2));
  return { pooled, features, distilled, logits };
}

export function head(a, _, kind) {
  const { model, tensors, found } = a, { dim, layers, norms } = model, last = found.streams[layers], { pooled, features, distilled, logits } = readOut(a, last);
  const shown = { pooled: model.pooling === "class" && !norms.includes("fc_norm") ? last.slice(0, dim) : pooled, normed: features };
  const pairs = [[features, found.features]];
  if (!logits) return { ...shown, difference: apartOf(...pairs) };
  const order = kind === "value" ? [0] : greatest(logits, 2), winner = order[0], runnerUp = kind === "softmax" && logits.length > 1 ? order[1] : null;
  const classifiers = distilled ? ["head", "head_dist"] : ["head"];
  const ahead = (numbers, width) => Float64Array.from({ length: width }, (_, i) => numbers[winner * width + i] - (runnerUp === null ? 0 : numbers[runnerUp * width + i]));
  const [contributions, distilledContributions = null] = classifiers.map((name, place) => {
    const row = ahead(tensors[`${name}.weight`], dim), vector = place ? distilled : features;
    return row.map((value, i) => (value * vector[i]) / classifiers.length);
  });
  const biases = classifiers.map((name) => (tensors[`${name}.bias`] ? ahead(tensors[`${name}.bias`], 1)[0] : 0));
  return {
    ...shown, logits, predictions: predictedBy(kind, logits), winner, runnerUp, lead: ahead(logits, 1)[0], contributions, distilledContributions,
    biasContribution: biases.reduce((sum, bias) => sum + bias, 0) / biases.length, difference: apartOf(...pairs, [logits, found.logits]),
  };
}
