// The numbers beside a colour bar: both ends, and round values between.

// Where a colour bar carries numbers: { at from 0 to 1, value }, both ends and round numbers between, no two closer than
// 0.12; about `wanted` on a linear bar, every decade on a logarithmic one.
export function ticksOf(limits, wanted = 3) {
  const { low, high, log } = limits;
  const placed = (value) => ({ at: log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low), value });
  const ends = [{ at: 0, value: low }, { at: 1, value: high }];
  const between = log ? thinned(decadesOf(low, high).map(placed)) : linearTicks(low, high, wanted - 2, placed);
  return [ends[0], ...between, ends[1]];
}

// Those of [{ at, text }] that can stand beside one another: both ends, and between them what meets neither an end nor the
// one before. share: of the bar's length that a letter takes.
export function spacedTicks(ticks, share) {
  const reach = ({ at, text }) => [at - at * text.length * share, at + (1 - at) * text.length * share];
  const last = ticks.at(-1);
  let free = reach(ticks[0])[1] + share;
  return ticks.filter((tick, i) => {
    const [from, to] = reach(tick), fits = i === 0 || tick === last || (from >= free && to + share <= reach(last)[0]);
    if (fits) free = to + share;
    return fits;
  });
}

function decadesOf(low, high) {
  const first = Math.ceil(Math.log10(low)), count = Math.max(0, Math.floor(Math.log10(high)) - first + 1);
  return Array.from({ length: count }, (_, i) => Number(`1e${first + i}`));
}

// Multiples of the coarsest of 1, 2, 5 · 10^n that gives at least `count` of them.
function linearTicks(low, high, count, placed) {
  if (count < 1) return [];
  let exponent = Math.ceil(Math.log10(high - low)), found = [];
  for (let tries = 0; found.length < count && tries < 9; tries++) {
    const digit = [5, 2, 1][tries % 3];
    if (tries % 3 === 0) exponent--;
    const step = Number(`${digit}e${exponent}`), first = Math.ceil(low / step);
    const multiples = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => roundTo((first + i) * step));
    found = thinned(multiples.map(placed));
  }
  return found;
}

function roundTo(value) {
  return Number(value.toPrecision(12)) + 0; // no -0
}

function thinned(ticks) {
  let last = 0;
  return ticks.filter(({ at }) => {
    const room = at - last >= 0.12 && at <= 0.88;
    if (room) last = at;
    return room;
  });
}
