// Principal components of the patches' vectors, held steady from layer to layer: vizvit/features/components.py.

const STEPS = 64; // of Lanczos' iteration: the first three of a few hundred have long converged

// vectors: [layer] of [vector, dim]. { scores: [layer] of Float32Array [vector, count], shares: [layer][component] }, the
// order and signs of each layer most like those of the one after it, the last one's own.
export function componentsOfLayers(vectors, many, dim, count) {
  const scores = [], shares = [];
  for (let layer = vectors.length - 1; layer >= 0; layer--) {
    const found = principalComponents(vectors[layer], many, dim, count), after = scores[0];
    if (after) align(found, after, many, count);
    scores.unshift(found.scores);
    shares.unshift(found.shares);
  }
  return { scores, shares };
}

// { scores: [vector, count], shares: [count] of all variance }; the greatest score of a component in magnitude is positive.
export function principalComponents(vectors, many, dim, count) {
  const centred = centre(vectors, many, dim);
  let total = 0;
  for (const value of centred) total += value * value;
  const { values, axes } = largestEigen(centred, many, dim, count), scores = new Float32Array(many * count), shares = [];
  for (let part = 0; part < count; part++) {
    const there = part < values.length && values[part] > 1e-12 * total, axis = axes[part], column = new Float64Array(many);
    let greatest = 0;
    for (let vector = 0, at = 0; there && vector < many; vector++, at += dim) {
      for (let i = 0; i < dim; i++) column[vector] += centred[at + i] * axis[i];
      if (Math.abs(column[vector]) > Math.abs(greatest)) greatest = column[vector];
    }
    for (let vector = 0; vector < many; vector++) scores[vector * count + part] = greatest < 0 ? -column[vector] : column[vector];
    shares.push(there ? values[part] / total : 0);
  }
  return { scores, shares };
}

// The directions of the first components, [count] of [dim], each one long.
export function principalAxes(vectors, many, dim, count) {
  return largestEigen(centre(vectors, many, dim), many, dim, count, Math.max(many, STEPS)).axes;
}

function centre(vectors, many, dim) {
  const mean = new Float64Array(dim), centred = new Float64Array(many * dim);
  for (let at = 0; at < centred.length; at++) mean[at % dim] += vectors[at] / many;
  for (let at = 0; at < centred.length; at++) centred[at] = vectors[at] - mean[at % dim];
  return centred;
}

// The largest eigenvalues of XᵀX with their vectors, by Lanczos' iteration with full reorthogonalisation (Golub & Van
// Loan, Matrix Computations, section 10.3), which needs products with X alone.
function largestEigen(x, many, dim, count, most = STEPS) {
  const steps = Math.min(most, many, dim), basis = [], diagonal = [], beside = [], between = new Float64Array(many);
  let vector = new Float64Array(dim); // in the space of the vectors, of which there may be fewer than dimensions
  for (let at = 0; at < x.length; at++) vector[at % dim] += x[at] * Math.sin(Math.floor(at / dim) + 1);
  let length = Math.sqrt(dot(vector, vector));
  while (basis.length < steps && length > 0) {
    vector = vector.map((value) => value / length);
    basis.push(vector);
    const next = new Float64Array(dim);
    for (let row = 0, at = 0; row < many; row++, at += dim) {
      let sum = 0;
      for (let i = 0; i < dim; i++) sum += x[at + i] * vector[i];
      between[row] = sum;
    }
    for (let row = 0, at = 0; row < many; row++, at += dim) for (let i = 0; i < dim; i++) next[i] += between[row] * x[at + i];
    diagonal.push(dot(next, vector));
    for (let again = 0; again < 2; again++) for (const one of basis) {
      const part = dot(next, one);
      for (let i = 0; i < dim; i++) next[i] -= part * one[i];
    }
    length = Math.sqrt(dot(next, next));
    if (length <= 1e-10 * Math.abs(diagonal[0])) length = 0; // the space is exhausted
    beside.push(length);
    vector = next;
  }
  const { values, vectors } = eigenOfTridiagonal(diagonal, beside), order = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count);
  const axes = order.map((one) => {
    const axis = new Float64Array(dim);
    basis.forEach((base, step) => base.forEach((value, i) => (axis[i] += vectors[step][one] * value)));
    return axis;
  });
  return { values: order.map((one) => Math.max(0, values[one])), axes };
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

// All eigenvalues of a symmetric tridiagonal matrix and their vectors [row][column], by QL with implicit shifts (EISPACK's
// tql2, after Bowdler, Martin, Reinsch & Wilkinson 1968). beside[i] stands between i and i + 1.
function eigenOfTridiagonal(diagonal, beside) {
  const n = diagonal.length, d = [...diagonal], e = [...beside.slice(0, n - 1), 0];
  const vectors = d.map((_, row) => Float64Array.from(d, (_, col) => Number(row === col)));
  for (let low = 0; low < n; low++) {
    for (;;) {
      let end = low;
      while (end < n - 1 && Math.abs(e[end]) > Number.EPSILON * (Math.abs(d[end]) + Math.abs(d[end + 1]))) end++;
      if (end === low) break;
      let g = (d[low + 1] - d[low]) / (2 * e[low]), r = Math.hypot(g, 1), s = 1, c = 1, p = 0;
      g = d[end] - d[low] + e[low] / (g + (g < 0 ? -r : r));
      let i = end - 1;
      for (; i >= low; i--) {
        const f = s * e[i], b = c * e[i];
        e[i + 1] = r = Math.hypot(f, g);
        if (r === 0) {
          d[i + 1] -= p;
          e[end] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        d[i + 1] = g + (p = s * r);
        g = c * r - b;
        for (const row of vectors) [row[i + 1], row[i]] = [s * row[i] + c * row[i + 1], c * row[i] - s * row[i + 1]];
      }
      if (r === 0 && i >= low) continue;
      d[low] -= p;
      e[low] = g;
      e[end] = 0;
    }
  }
  return { values: d, vectors };
}

// Components in the order and with the signs that are most like others': the sum of their correlations is the greatest.
function align(found, like, many, count) {
  const between = correlations(found.scores, like, many, count);
  const order = orders(count).reduce((best, one) => (gain(between, one) > gain(between, best) + 1e-12 ? one : best));
  const scores = new Float32Array(found.scores.length);
  order.forEach((from, to) => {
    const sign = between[to][from] < 0 ? -1 : 1;
    for (let vector = 0; vector < many; vector++) scores[vector * count + to] = sign * found.scores[vector * count + from];
  });
  Object.assign(found, { scores, shares: order.map((from) => found.shares[from]) });
}

// [like][scores]
function correlations(scores, like, many, count) {
  const sum = (a, i, b, j) => {
    let all = 0;
    for (let vector = 0; vector < many; vector++) all += a[vector * count + i] * b[vector * count + j];
    return all;
  };
  const parts = [...Array(count).keys()], length = (a, i) => Math.sqrt(sum(a, i, a, i));
  return parts.map((i) => parts.map((j) => sum(like, i, scores, j) / (length(like, i) * length(scores, j) || 1)));
}

function gain(between, order) {
  return order.reduce((sum, from, to) => sum + Math.abs(between[to][from]), 0);
}

function orders(count) {
  if (count <= 1) return [[...Array(count).keys()]];
  return orders(count - 1).flatMap((order) => Array.from({ length: count }, (_, at) => order.toSpliced(at, 0, count - 1)));
}
