// Whether numbers are one population or two, and where the high one begins: vizvit/features/populations.py, step by step.

const ROUNDS = 200, TOLERANCE = 1e-6, NARROWEST = 0.01, FREE = 3, PLACES = 513;

// Where the high population begins; null where the numbers are one population.
export function highPopulation(numbers) {
  const count = numbers.length, sorted = Float64Array.from(numbers).sort();
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
  const spread = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
  const most = sorted.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
  if (count < 4 || !(spread > 1e-9 * most)) return null;
  const start = startOf(sorted.map((value) => (value - mean) / spread));
  return start === null ? null : start * spread + mean;
}

// Of sorted values with mean 0 and deviation 1.
function startOf(row) {
  const count = row.length, { groups, likelihood, unsure } = fit(row), [low, high] = groups;
  const single = -0.5 * count * (1 + Math.log(2 * Math.PI));
  if (!(2 * (likelihood - unsure - single) > FREE * Math.log(count))) return null;
  const step = (high.mean - low.mean) / (PLACES - 1);
  let least = Infinity, first = -1, ends = [];
  for (let place = 0; place < PLACES; place++) {
    const at = low.mean + place * step, [below, above] = groups.map((group) => Math.exp(logDensity(at, group)));
    least = Math.min(least, below + above);
    if (first < 0 && above > below) first = place;
    if (place === 0 || place === PLACES - 1) ends = [...ends, below + above];
  }
  const start = low.mean + (first - 0.5) * step;
  const valley = least < Math.min(...ends) * (1 - 1e-6), smaller = row.filter((value) => value > start).length < count / 2;
  const apart = start > low.mean + Math.sqrt(2 * Math.log(count) * low.variance);
  return valley && smaller && apart && first > 0 ? start : null;
}

// Two Gaussians by expectation maximisation, the lower first: { groups: [{ weight, mean, variance }], likelihood, unsure }.
function fit(row) {
  const count = row.length;
  let member = halvesOf(row), before = -Infinity, groups, logs, likelihood;
  for (let round = 0; round < ROUNDS; round++) {
    groups = member.map((share) => {
      const mass = share.reduce((sum, one) => sum + one, 0);
      const mean = share.reduce((sum, one, i) => sum + one * row[i], 0) / mass;
      const variance = share.reduce((sum, one, i) => sum + one * (row[i] - mean) ** 2, 0) / mass;
      return { weight: mass / count, mean, variance: Math.max(variance, NARROWEST ** 2) };
    });
    logs = groups.map((group) => row.map((value) => logDensity(value, group)));
    const total = row.map((_, i) => logSum(logs[0][i], logs[1][i]));
    likelihood = total.reduce((sum, one) => sum + one, 0);
    logs = logs.map((some) => some.map((value, i) => value - total[i]));
    if (likelihood - before <= TOLERANCE * count) break;
    member = logs.map((some) => some.map((value) => Math.max(Math.exp(value), 1e-300)));
    before = likelihood;
  }
  const unsure = -logs.reduce((all, some) => all + some.reduce((sum, value) => sum + (Math.exp(value) > 0 ? Math.exp(value) * value : 0), 0), 0);
  return { groups: groups.sort((a, b) => a.mean - b.mean), likelihood, unsure };
}

// The cut that two Gaussians explain best, as members [group][value].
function halvesOf(row) {
  const count = row.length;
  const all = row.reduce((sum, value) => sum + value, 0), allSquares = row.reduce((sum, value) => sum + value * value, 0);
  let sum = 0, squares = 0, best = Infinity, cut = 1;
  for (let below = 1; below < count; below++) {
    sum += row[below - 1];
    squares += row[below - 1] ** 2;
    const cost = costOf(below, sum, squares) + costOf(count - below, all - sum, allSquares - squares);
    if (cost < best) [best, cut] = [cost, below];
  }
  return [row.map((_, i) => Number(i < cut)), row.map((_, i) => Number(i >= cut))];
}

function costOf(number, sum, squares) {
  const variance = Math.max(squares / number - (sum / number) ** 2, NARROWEST ** 2);
  return number * (0.5 * Math.log(variance) - Math.log(number));
}

function logDensity(at, { weight, mean, variance }) {
  return Math.log(weight) - 0.5 * Math.log(2 * Math.PI * variance) - (0.5 * (at - mean) ** 2) / variance;
}

function logSum(a, b) {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log(Math.exp(a - most) + Math.exp(b - most));
}
