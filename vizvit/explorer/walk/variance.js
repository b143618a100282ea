// Why scores are divided by √d: the scores of one random query with random keys, whose entries have mean 0 and variance 1.

// scores [tokens] of width `dim`; deviation: their standard deviation; weights [tokens], greatest first: their softmax.
// A wider draw goes on from a narrower one of the same seed.
export function randomScores(dim, tokens, seed, divided) {
  const query = normals(dim, seed), scores = new Float64Array(tokens);
  for (let token = 0; token < tokens; token++) {
    const key = normals(dim, seed * 7919 + token + 1);
    for (let i = 0; i < dim; i++) scores[token] += query[i] * key[i];
    if (divided) scores[token] /= Math.sqrt(dim);
  }
  return { scores, deviation: deviationOf(scores), weights: softmaxOf(scores).sort((a, b) => b - a) };
}

// `count` numbers of the normal distribution (Box and Muller 1958), always the same of one seed.
export function normals(count, seed) {
  const random = uniform(seed), out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return out;
}

function uniform(seed) {
  let state = seed >>> 0; // mulberry32
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function deviationOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

function softmaxOf(scores) {
  const highest = Math.max(...scores), powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}
