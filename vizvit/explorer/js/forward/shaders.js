// What a forward pass spends its time on, as WGSL: matrix products, attention, norms, activations. All float32.

export const TILE = 32; // a product's tile is TILE × TILE
const DEPTH_OF_TILE = 16, THREADS = 64;

// Behind a product: by the model's name of its activation, "none" without one.
const ACTIVATIONS_OF_X = {
  none: "x",
  // x/2 · (1 + erf(x / √2)), with erf as Abramowitz & Stegun, 7.1.26
  gelu: "0.5 * (x + abs(x) * (1.0 - erfc_of(abs(x) * 0.70710678)))",
  gelu_tanh: "x / (1.0 + exp(-1.5957691216 * (x + 0.044715 * x * x * x)))",
  quick_gelu: "x / (1.0 + exp(-1.702 * x))",
  silu: "x / (1.0 + exp(-x))",
  relu: "max(x, 0.0)",
};

// c = act(a · wᵀ + b), or c + a · wᵀ + b: a [rows, depth], w [cols, depth], c from a number on. Each of 64 threads makes 4 × 4.
export function productShader(activation, adds) {
  return `
struct Sizes { rows: u32, cols: u32, depth: u32, start: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;
var<workgroup> left: array<f32, ${TILE * DEPTH_OF_TILE}>;
var<workgroup> right: array<f32, ${TILE * DEPTH_OF_TILE}>;

fn erfc_of(z: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.3275911 * z);
  return ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * exp(-z * z);
}

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let top = group.y * ${TILE}u;
  let first = group.x * ${TILE}u;
  let down = (thread / 8u) * 4u;
  let across = (thread % 8u) * 4u;
  var sums: array<vec4f, 4>;
  for (var begin = 0u; begin < sizes.depth; begin += ${DEPTH_OF_TILE}u) {
    for (var i = thread; i < ${TILE * DEPTH_OF_TILE}u; i += ${THREADS}u) {
      let line = i / ${DEPTH_OF_TILE}u;
      let step = begin + i % ${DEPTH_OF_TILE}u;
      let at = (i % ${DEPTH_OF_TILE}u) * ${TILE}u + line;
      left[at] = select(0.0, a[min(top + line, sizes.rows - 1u) * sizes.depth + min(step, sizes.depth - 1u)], top + line < sizes.rows && step < sizes.depth);
      right[at] = select(0.0, w[min(first + line, sizes.cols - 1u) * sizes.depth + min(step, sizes.depth - 1u)], first + line < sizes.cols && step < sizes.depth);
    }
    workgroupBarrier();
    for (var step = 0u; step < ${DEPTH_OF_TILE}u; step++) {
      let at = step * ${TILE}u + across;
      let four = vec4f(right[at], right[at + 1u], right[at + 2u], right[at + 3u]);
      for (var i = 0u; i < 4u; i++) { sums[i] += left[step * ${TILE}u + down + i] * four; }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let row = top + down + i;
      let col = first + across + j;
      if (row < sizes.rows && col < sizes.cols) {
        let at = sizes.start + row * sizes.cols + col;
        let x = sums[i][j] + bias[col];
        c[at] = ${adds ? "c[at] + " : ""}${ACTIVATIONS_OF_X[activation]};
      }
    }
  }
}`;
}

// LayerNorm in place. Row r begins at (r / per) · stride + start + (r % per) · width.
export const NORM_SHADER = `
struct Sizes { width: u32, per: u32, stride: u32, start: u32, eps: f32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
var<workgroup> parts: array<f32, ${THREADS}>;

fn total(thread: u32, mine: f32) -> f32 {
  parts[thread] = mine;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half /= 2u) {
    if (thread < half) { parts[thread] += parts[thread + half]; }
    workgroupBarrier();
  }
  let sum = parts[0];
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = (group.x / sizes.per) * sizes.stride + sizes.start + (group.x % sizes.per) * sizes.width;
  var mine = 0.0;
  for (var i = thread; i < sizes.width; i += ${THREADS}u) { mine += x[at + i]; }
  let mean = total(thread, mine) / f32(sizes.width);
  mine = 0.0;
  for (var i = thread; i < sizes.width; i += ${THREADS}u) { mine += (x[at + i] - mean) * (x[at + i] - mean); }
  let factor = inverseSqrt(total(thread, mine) / f32(sizes.width) + sizes.eps);
  for (var i = thread; i < sizes.width; i += ${THREADS}u) { x[at + i] = (x[at + i] - mean) * factor * weight[i] + bias[i]; }
}`;

// One query of one head: softmax(scale · q · kᵀ) · v, from [token, 3 · heads · size] to [token, heads · size].
export function attentionShader({ tokens, heads, head_dim: size, scale }) {
  const width = heads * size;
  return `
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> mixed: array<f32>;
var<workgroup> weights: array<f32, ${tokens}>;
var<workgroup> parts: array<f32, ${THREADS}>;

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let query = group.x * ${3 * width}u + group.y * ${size}u;
  let key = group.y * ${size}u + ${width}u;
  var most = -3e38;
  for (var token = thread; token < ${tokens}u; token += ${THREADS}u) {
    var sum = 0.0;
    for (var i = 0u; i < ${size}u; i++) { sum += qkv[query + i] * qkv[key + token * ${3 * width}u + i]; }
    weights[token] = sum * ${scale};
    most = max(most, weights[token]);
  }
  parts[thread] = most;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half /= 2u) {
    if (thread < half) { parts[thread] = max(parts[thread], parts[thread + half]); }
    workgroupBarrier();
  }
  most = parts[0];
  workgroupBarrier();
  var sum = 0.0;
  for (var token = thread; token < ${tokens}u; token += ${THREADS}u) {
    weights[token] = exp(weights[token] - most);
    sum += weights[token];
  }
  parts[thread] = sum;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half /= 2u) {
    if (thread < half) { parts[thread] += parts[thread + half]; }
    workgroupBarrier();
  }
  for (var i = thread; i < ${size}u; i += ${THREADS}u) {
    var value = 0.0;
    for (var token = 0u; token < ${tokens}u; token++) { value += weights[token] * qkv[key + token * ${3 * width}u + ${width}u + i]; }
    mixed[group.x * ${width}u + group.y * ${size}u + i] = value / parts[0];
  }
}`;
}
