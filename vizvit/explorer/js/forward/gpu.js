// The forward pass of vit.js on a graphics card, by WebGPU; what is read out at the end is read out beside it.

import { NORM_SHADER, TILE, attentionShader, productShader } from "./shaders.js";

const NEAR = 1e-3; // how far from the WebAssembly's, of the greatest value, its first pass may be
const MOST_TOKENS = 3500; // whose attention fits into a workgroup's memory

// A forward pass as vit.forward, but a promise of it; null where there is no graphics card to take it. software: take a
// card that the browser only imitates, too, as tests do.
export async function createGpuForward(model, tensors, vit, software = false) {
  const adapter = model.tokens <= MOST_TOKENS ? await globalThis.navigator?.gpu?.requestAdapter().catch(() => null) : null;
  if (!adapter || ((adapter.info ?? adapter).isFallbackAdapter && !software)) return null;
  try {
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
    const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
    return checked(createPasses(device, model, tensors, vit), vit, software);
  } catch {
    return null; // a card that has not what it takes
  }
}

// The pass where it does what the WebAssembly one does, and faster: on the first picture both are run.
function checked(pass, vit, software) {
  let trusted = false, failed = false;
  return async (pixels) => {
    if (failed) return { ...vit.forward(pixels), by: "webassembly" };
    try {
      const found = await pass(pixels);
      if (trusted) return { ...found, by: "webgpu" };
      const start = performance.now(), expected = vit.forward(pixels), between = performance.now();
      await pass(pixels); // the first one made the programs ready
      const faster = software || performance.now() - between < between - start;
      trusted = faster && [...found.streams, found.features].every((part, i) => isNear(part, [...expected.streams, expected.features][i]));
      failed = !trusted;
      return trusted ? { ...found, by: "webgpu" } : { ...expected, by: "webassembly" };
    } catch {
      failed = true; // the card is gone
      return { ...vit.forward(pixels), by: "webassembly" };
    }
  };
}

function isNear(found, expected) {
  let most = 0, apart = 0;
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs(expected[i]));
    const difference = Math.abs(found[i] - expected[i]);
    if (!(difference <= apart)) apart = difference; // NaN is none
  }
  return apart <= NEAR * Math.max(1, most);
}

function createPasses(device, model, tensors, vit) {
  const { tokens, prefix, dim, heads, head_dim: size, layers, hidden: wide, patch_size: patch } = model, width = heads * size, values = 3 * patch * patch;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ, UNIFORM } = globalThis.GPUBufferUsage;

  const room = (count, usage = STORAGE | COPY_SRC | COPY_DST) => device.createBuffer({ size: 4 * count, usage });
  function filled(numbers, usage = STORAGE | COPY_SRC | COPY_DST) {
    const buffer = room(numbers.length, usage);
    device.queue.writeBuffer(buffer, 0, numbers);
    return buffer;
  }

  const pipelines = new Map();
  function pipelineOf(code) {
    if (!pipelines.has(code)) pipelines.set(code, device.createComputePipeline({ layout: "auto", compute: { module: device.createShaderModule({ code }), entryPoint: "main" } }));
    return pipelines.get(code);
  }

  // What is done in turn: each of `steps` puts its work into a command encoder.
  const steps = [];
  function dispatch(code, buffers, across, down = 1) {
    const pipeline = pipelineOf(code), entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    steps.push((encoder) => {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(across, down);
      pass.end();
    });
  }
  const copy = (from, to, count, start = 0) => steps.push((encoder) => encoder.copyBufferToBuffer(from, 0, to, 4 * start, 4 * count));

  function product(a, name, c, rows, cols, depth, { start = 0, adds = false, activation = "none", scale = null } = {}) {
    const weight = tensors[`${name}.weight`], bias = tensors[`${name}.bias`] ?? new Float32Array(cols);
    const scaled = (numbers, each) => (scale ? numbers.map((value, i) => value * scale[Math.floor(i / each)]) : numbers);
    const sizes = filled(Uint32Array.of(rows, cols, depth, start), UNIFORM | COPY_DST);
    dispatch(productShader(activation, adds), [sizes, a, filled(scaled(weight, depth)), filled(scaled(bias, 1)), c], Math.ceil(cols / TILE), Math.ceil(rows / TILE));
  }

  function norm(name, x, rows, over, { per = 1, stride = over, start = 0 } = {}) {
    if (!model.norms.includes(name)) return;
    const sizes = new ArrayBuffer(32);
    new Uint32Array(sizes).set([over, per, stride, start]);
    new Float32Array(sizes)[4] = model.eps[name];
    const weight = tensors[`${name}.weight`] ?? new Float32Array(over).fill(1), bias = tensors[`${name}.bias`] ?? new Float32Array(over);
    dispatch(NORM_SHADER, [filled(new Uint8Array(sizes), UNIFORM | COPY_DST), filled(weight), filled(bias), x], rows);
  }

  const pixelsIn = room((tokens - prefix) * values), embedded = room((tokens - prefix) * dim), start = filled(enteringOf(model, tensors)), stream = room(tokens * dim);
  const normed = room(tokens * dim), qkv = room(tokens * 3 * width), mixed = room(tokens * width), hidden = room(tokens * wide);
  const kept = { embedded: (tokens - prefix) * dim, sequence: tokens * dim, streams: (layers + 1) * tokens * dim, qkv: layers * tokens * 3 * width };
  const outs = Object.fromEntries(Object.entries(kept).map(([name, count]) => [name, room(count, COPY_DST | MAP_READ)]));

  product(pixelsIn, "patch", embedded, tokens - prefix, dim, values);
  copy(embedded, outs.embedded, kept.embedded);
  copy(start, stream, tokens * dim);
  product(pixelsIn, "patch", stream, tokens - prefix, dim, values, { start: prefix * dim, adds: true });
  copy(stream, outs.sequence, kept.sequence);
  norm("norm_pre", stream, tokens, dim);
  copy(stream, outs.streams, tokens * dim);
  for (let layer = 0; layer < layers; layer++) {
    const name = `blocks.${layer}`;
    copy(stream, normed, tokens * dim);
    norm(`${name}.norm1`, normed, tokens, dim);
    product(normed, `${name}.qkv`, qkv, tokens, 3 * width, dim);
    for (const [what, part] of ["q_norm", "k_norm"].entries()) norm(`${name}.${part}`, qkv, tokens * heads, size, { per: heads, stride: 3 * width, start: what * width });
    copy(qkv, outs.qkv, tokens * 3 * width, layer * tokens * 3 * width);
    dispatch(attentionShader(model), [qkv, mixed], tokens, heads);
    product(mixed, `${name}.output`, stream, tokens, dim, width, { adds: true, scale: tensors[`${name}.scale1`] });
    copy(stream, normed, tokens * dim);
    norm(`${name}.norm2`, normed, tokens, dim);
    product(normed, `${name}.first`, hidden, tokens, wide, dim, { activation: model.activation });
    product(hidden, `${name}.second`, stream, tokens, dim, wide, { adds: true, scale: tensors[`${name}.scale2`] });
    copy(stream, outs.streams, tokens * dim, (layer + 1) * tokens * dim);
  }

  async function numbersOf(buffer) {
    await buffer.mapAsync(globalThis.GPUMapMode.READ);
    const numbers = new Float32Array(buffer.getMappedRange()).slice();
    buffer.unmap();
    return numbers;
  }

  return async function forward(pixels) {
    device.queue.writeBuffer(pixelsIn, 0, pixels);
    const encoder = device.createCommandEncoder();
    for (const step of steps) step(encoder);
    device.queue.submit([encoder.finish()]);
    const [patches, sequence, all, everyQkv] = await Promise.all(Object.values(outs).map(numbersOf));
    const split = (numbers, count) => Array.from({ length: count }, (_, i) => numbers.subarray((i * numbers.length) / count, ((i + 1) * numbers.length) / count));
    const streams = split(all, layers + 1), ofLayers = split(everyQkv, layers);
    const [queries, keys] = [0, 1].map((what) => ofLayers.map((numbers) => byHead(numbers, what, model)));
    return { streams, queries, keys, sequence, embedded: patches, ...vit.classify(streams.at(-1).slice()) };
  };
}

// What the sequence is before the patches are added: positions and prefix tokens.
function enteringOf({ tokens, dim }, tensors) {
  const start = new Float32Array(tokens * dim);
  start.set(tensors.position);
  tensors.prefix?.forEach((value, i) => (start[i] += value));
  return start;
}

// [token, 3 · heads · size] -> [head, token, size] of the queries or the keys.
function byHead(numbers, what, { tokens, heads, head_dim: size }) {
  const out = new Float32Array(heads * tokens * size), width = heads * size;
  for (let head = 0; head < heads; head++) for (let token = 0; token < tokens; token++) {
    const from = (token * 3 + what) * width + head * size;
    out.set(numbers.subarray(from, from + size), (head * tokens + token) * size);
  }
  return out;
}
