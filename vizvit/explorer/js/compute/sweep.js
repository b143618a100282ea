// A head's attention a few queries at a time, as exponentials that are never normalised, without ever holding [query, key].
//
// By the kernels in single precision where a page may run them; else scores are made for four queries and three keys at a
// time, in double precision: so many that the products outweigh the loads, and few enough for the registers. Functions
// here go to a worker as text: they use one another alone.

// Calls visit(query, at, highest, sum, weighted) for each query of a head: the exponentials exp(score - highest) of its
// row stand in work.rows from `at` on, `sum` is their sum and `weighted` that of exponential · (score - highest).
export function sweepHead({ tokens }, head, work, visit) {
  const { block, stride, totals } = work;
  work.load(head);
  for (let first = 0; first < tokens; first += block) {
    const count = Math.min(block, tokens - first);
    work.exponentiate(head, first, count);
    for (let i = 0; i < count; i++) visit(first + i, i * stride, totals[4 * i], totals[4 * i + 1], totals[4 * i + 2]);
  }
}

// Room for the sweeps of a layer's heads, and for `fused` rows of what is joined from them: join("mean", "max" or "min",
// row, at, factor) joins factor · what stands in work.rows from `at` on to a row of zeros at first, and they lie in
// work.joined.rows, each work.joined.stride numbers after the one before. kernels: as readyKernels gives them, or null.
export function sweepWork(layer, kernels, fused = 0) {
  return kernels ? kernelWork(layer, kernels, fused) : plainWork(layer, fused);
}

// The kernels that kernelBytes assembled, ready to be called; null where the page's policy or its browser has none.
export function readyKernels({ modules, tile }) {
  try {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const bytes = modules.map((module) => Uint8Array.from(module)).find((module) => WebAssembly.validate(module));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    return { memory, tile, ...exports };
  } catch {
    return null;
  }
}

export function kernelWork(layer, kernels, fused) {
  const { memory, tile, product, exponentials } = kernels;
  const { tokens, dim, scale } = layer, block = 8 * tile.rows, up = (count, multiple) => Math.ceil(count / multiple) * multiple;
  const stride = up(tokens, tile.lanes), depth = up(dim, tile.depth);
  const sizes = [stride, 4 * block, up(tokens, tile.rows) * depth, stride * depth, block * stride, fused * stride], places = [4];
  for (const size of sizes) places.push(places.at(-1) + up(size, 4));
  const missing = 4 * places.at(-1) - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const [nothing, totals, queries, keys, rows, together] = sizes.map((size, i) => new Float32Array(memory.buffer, 4 * places[i], size).fill(0));
  return {
    block, stride, rows, totals,
    load(head) {
      const from = head * tokens * dim;
      for (let token = 0, at = from; token < tokens; token++) {
        for (let i = 0, to = token * depth; i < dim; i++) queries[to + i] = layer.queries[at++] * scale;
      }
      packPanels(layer.keys, from, tokens, dim, tile.lanes, 1, keys, depth);
    },
    exponentiate(head, first, count) {
      const to = rows.byteOffset, tiles = Math.ceil(count / tile.rows);
      product(queries.byteOffset + 4 * first * depth, keys.byteOffset, to, nothing.byteOffset, tiles, stride / tile.lanes, depth, 4 * depth, 4 * stride);
      addBias(layer, head, first, count, rows, stride);
      exponentials(to, to + 4 * count * stride, stride, tokens, totals.byteOffset);
    },
    join(how, row, at, factor) {
      const from = rows.byteOffset + 4 * at;
      kernels[how](from, from + 4 * stride, together.byteOffset + 4 * row * stride, factor);
    },
    joined: { rows: together, stride },
  };
}

export function plainWork(layer, fused) {
  const { tokens, dim, scale } = layer, block = 4, stride = 3 * Math.ceil(tokens / 3);
  const queries = new Float64Array(block * Math.ceil(tokens / block) * dim), keys = new Float64Array(stride * dim);
  const rows = new Float64Array(block * stride), totals = new Float64Array(4 * block);
  const together = new Float32Array(fused * tokens);
  return {
    block, stride, rows, totals,
    load(head) {
      packPanels(layer.queries, head * tokens * dim, tokens, dim, block, scale, queries, dim);
      packPanels(layer.keys, head * tokens * dim, tokens, dim, 3, 1, keys, dim);
    },
    exponentiate(head, first, count) {
      scorePanel(queries, first * dim, keys, dim, stride, rows);
      addBias(layer, head, first, count, rows, stride);
      for (let i = 0; i < count; i++) exponentiate(rows, i * stride, tokens, totals, 4 * i);
    },
    join(how, row, at, factor) {
      const to = row * tokens;
      if (how === "mean") for (let key = 0; key < tokens; key++) together[to + key] += rows[at + key] * factor;
      else if (how === "max") for (let key = 0; key < tokens; key++) together[to + key] = Math.max(together[to + key], rows[at + key] * factor);
      else for (let key = 0; key < tokens; key++) together[to + key] = Math.min(together[to + key], rows[at + key] * factor);
    },
    joined: { rows: together, stride: tokens },
  };
}

// [token, dim] times a factor as [panel, depth, token of the panel]; the rest of `panels` stays as it is.
export function packPanels(source, from, tokens, dim, width, factor, panels, depth) {
  for (let token = 0; token < tokens; token++) {
    let to = (token - (token % width)) * depth + (token % width);
    for (let i = 0; i < dim; i++, to += width) panels[to] = source[from + token * dim + i] * factor;
  }
}

export function addBias({ tokens, bias, biasHeads }, head, first, count, rows, stride) {
  if (!bias) return;
  for (let i = 0, from = ((biasHeads === 1 ? 0 : head) * tokens + first) * tokens; i < count; i++) {
    for (let key = 0, at = i * stride; key < tokens; key++) rows[at + key] += bias[from++];
  }
}

export function scorePanel(queries, from, keys, dim, stride, rows) {
  for (let key = 0, at = 0; key < stride; key += 3) {
    let a0 = 0, a1 = 0, a2 = 0, b0 = 0, b1 = 0, b2 = 0, c0 = 0, c1 = 0, c2 = 0, d0 = 0, d1 = 0, d2 = 0;
    for (let i = 0, q = from; i < dim; i++, q += 4, at += 3) {
      const x = keys[at], y = keys[at + 1], z = keys[at + 2];
      const a = queries[q], b = queries[q + 1], c = queries[q + 2], d = queries[q + 3];
      a0 += a * x; a1 += a * y; a2 += a * z;
      b0 += b * x; b1 += b * y; b2 += b * z;
      c0 += c * x; c1 += c * y; c2 += c * z;
      d0 += d * x; d1 += d * y; d2 += d * z;
    }
    let to = key;
    rows[to] = a0; rows[to + 1] = a1; rows[to + 2] = a2;
    rows[(to += stride)] = b0; rows[to + 1] = b1; rows[to + 2] = b2;
    rows[(to += stride)] = c0; rows[to + 1] = c1; rows[to + 2] = c2;
    rows[(to += stride)] = d0; rows[to + 1] = d1; rows[to + 2] = d2;
  }
}

// Scores to exponentials in place; totals, from `to` on: the highest score, the sum, the sum of exponential · (score - highest).
export function exponentiate(rows, at, tokens, totals, to) {
  let highest = -Infinity, sum = 0, weighted = 0;
  for (let i = at; i < at + tokens; i++) if (rows[i] > highest) highest = rows[i];
  if (highest === -Infinity) rows.fill(0, at, at + tokens); // everything masked
  else {
    for (let i = at; i < at + tokens; i++) {
      const above = rows[i] - highest, value = Math.exp(above);
      rows[i] = value;
      sum += value;
      if (value > 0) weighted += value * above; // a masked key counts nothing
    }
  }
  totals[to] = highest;
  totals[to + 1] = sum;
  totals[to + 2] = weighted;
}
