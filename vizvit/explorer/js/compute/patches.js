// Where the patches are: tokens, places and rectangles of a capture's grid, by its header.

// The row and column of a patch token; null for a prefix token.
export function placeOf(capture, token) {
  const patch = token - capture.prefix_names.length;
  return patch < 0 ? null : [Math.floor(patch / capture.cols), patch % capture.cols];
}

export function tokensOfArea(capture, [top, left, bottom, right]) {
  const tokens = [], prefix = capture.prefix_names.length;
  for (let row = top; row <= bottom; row++) for (let col = left; col <= right; col++) tokens.push(prefix + row * capture.cols + col);
  return tokens;
}

// A patch one step further from a token; from a prefix token into the middle of the picture.
export function stepPatch(capture, token, down, right) {
  const { rows, cols } = capture, prefix = capture.prefix_names.length, place = placeOf(capture, token);
  if (!place) return prefix + Math.floor((rows - 1) / 2) * cols + Math.floor((cols - 1) / 2);
  const row = Math.min(Math.max(place[0] + down, 0), rows - 1);
  const col = Math.min(Math.max(place[1] + right, 0), cols - 1);
  return prefix + row * cols + col;
}

// The rectangle between two patches.
export function areaBetween(capture, from, to) {
  const [r0, c0] = placeOf(capture, from), [r1, c1] = placeOf(capture, to);
  return [Math.min(r0, r1), Math.min(c0, c1), Math.max(r0, r1), Math.max(c0, c1)];
}

// The smallest rectangle around patches, [row, col, rows, cols]; null where there is none.
export function boundsOf(capture, tokens) {
  const places = tokens.map((token) => placeOf(capture, token)).filter(Boolean);
  if (!places.length) return null;
  const rows = places.map(([row]) => row), cols = places.map(([, col]) => col);
  const top = Math.min(...rows), left = Math.min(...cols);
  return [top, left, Math.max(...rows) - top + 1, Math.max(...cols) - left + 1];
}
