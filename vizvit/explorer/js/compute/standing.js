// Which patches have far more than their share of a map, as vizvit.standing_out finds them: by the rule of the sinks.

import { sinksOf } from "./survey.js";

// Tokens among `count` from `first` on, the greatest first; patches that have nothing take no part.
export function standingOut(row, first, count) {
  const some = [];
  let sum = 0;
  for (let token = first; token < first + count; token++) {
    if (!(row[token] > 0)) continue;
    some.push(token);
    sum += row[token];
  }
  if (!some.length) return [];
  return sinksOf(Float32Array.from(some, (token) => row[token] / sum), some.length)[0].map(({ token }) => some[token]);
}

// How many patches have half of a map together, the greatest first.
export function halfOf(row, first, count) {
  const sorted = row.slice(first, first + count).sort().reverse(), half = sorted.reduce((sum, value) => sum + value, 0) / 2;
  let sum = 0, patches = 0;
  while (patches < count && sum < half) sum += sorted[patches++];
  return Math.max(1, patches);
}
