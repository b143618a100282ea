// The formulas of a Vision Transformer, written out, in double precision: vizvit/walk/formulas.py.

// y = x Wᵀ + b, [out], of the rows of W from `first` on.
export function linearOf(x, tensors, name, first = 0, out = tensors[`${name}.weight`].length / x.length - first) {
  const weight = tensors[`${name}.weight`], bias = tensors[`${name}.bias`], y = new Float64Array(out);
  for (let row = 0; row < out; row++) {
    let sum = bias ? bias[first + row] : 0;
    for (let i = 0, at = (first + row) * x.length; i < x.length; i++, at++) sum += weight[at] * x[i];
    y[row] = sum;
  }
  return y;
}

// Mean and (biased) variance.
export function momentsOf(x) {
  let mean = 0, variance = 0;
  for (const value of x) mean += value / x.length;
  for (const value of x) variance += (value - mean) ** 2 / x.length;
  return { mean, variance };
}

// γ x + β, of numbers that are normalised already.
export function affineOf(x, tensors, name) {
  const weight = tensors[`${name}.weight`], bias = tensors[`${name}.bias`];
  return Float64Array.from(x, (value, i) => value * (weight ? weight[i] : 1) + (bias ? bias[i] : 0));
}

// γ (x - μ) / √(σ² + ε) + β; x itself where the model has no norm of this name.
export function normOf({ model, tensors }, x, name) {
  if (!model.norms.includes(name)) return Float64Array.from(x);
  const { mean, variance } = momentsOf(x), deviation = Math.sqrt(variance + model.eps[name]);
  return affineOf(Float64Array.from(x, (value) => (value - mean) / deviation), tensors, name);
}

export function softmaxBy(scores) {
  const most = scores.reduce((a, b) => Math.max(a, b)), powers = Float64Array.from(scores, (score) => Math.exp(score - most));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}

// "softmax", "sigmoid" or "value": what a model makes of its last numbers.
export function predictedBy(kind, logits) {
  if (kind === "softmax") return softmaxBy(logits);
  return Float64Array.from(logits, (logit) => (kind === "sigmoid" ? 1 / (1 + Math.exp(-logit)) : logit));
}

// -Σ a ln a, in nats.
export function nats(weights) {
  return weights.reduce((sum, weight) => (weight > 0 ? sum - weight * Math.log(weight) : sum), 0);
}

export function lengthOf(x) {
  let sum = 0;
  for (const value of x) sum += value * value;
  return Math.sqrt(sum);
}

export function rowOf(matrix, row, width) {
  return matrix.subarray(row * width, (row + 1) * width);
}

// The indices of the `count` greatest, greatest first.
export function greatest(values, count) {
  return [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count);
}

// The greatest absolute difference within any of the pairs: by hand, the model's.
export function apartOf(...pairs) {
  let most = 0;
  for (const [hand, model] of pairs) for (let i = 0; i < hand.length; i++) {
    const difference = Math.abs(hand[i] - model[i]);
    if (!(difference <= most)) most = difference; // NaN is a difference, too
  }
  return most;
}

// 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (1 · 3 · … · (2n + 1)): Abramowitz & Stegun, 7.1.6.
function erfOf(x) {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  let term = size, sum = size;
  for (let n = 1; term > 1e-17 * sum; n++) sum += term *= (2 * size * size) / (2 * n + 1);
  return (Math.sign(x) * 2 * Math.exp(-size * size) * sum) / Math.sqrt(Math.PI);
}

export const CURVES = {
  gelu: { name: "GELU", of: (x) => (x * (1 + erfOf(x / Math.SQRT2))) / 2 },
  gelu_tanh: { name: "GELU (tanh)", of: (x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2 },
  quick_gelu: { name: "QuickGELU", of: (x) => x / (1 + Math.exp(-1.702 * x)) },
  silu: { name: "SiLU", of: (x) => x / (1 + Math.exp(-x)) },
  relu: { name: "ReLU", of: (x) => Math.max(x, 0) },
};
