// Two captures side by side: which token, layer and head of the one stands for which of the other. a and b are headers
// of captures; linked.kind says how a place in picture A becomes one in B: "place", the same; "flip", mirrored left to
// right; "crop", B shows linked.box of A, [left, top, right, bottom] in shares of A.

// The token of b for a token of a; null where b does not show that place. A prefix token goes by its name; one that b
// lacks becomes b's first, where b has any.
export function linkedToken(a, b, linked, token) {
  return counterpart(a, b, token, (x, y) => {
    if (linked.kind === "flip") return [1 - x, y];
    if (linked.kind !== "crop") return [x, y];
    const [left, top, right, bottom] = linked.box;
    return [(x - left) / (right - left), (y - top) / (bottom - top)];
  });
}

// The token of a for a token of b.
export function linkedBack(a, b, linked, token) {
  return counterpart(b, a, token, (x, y) => {
    if (linked.kind === "flip") return [1 - x, y];
    if (linked.kind !== "crop") return [x, y];
    const [left, top, right, bottom] = linked.box;
    return [left + x * (right - left), top + y * (bottom - top)];
  });
}

function counterpart(from, to, token, moved) {
  const prefix = from.prefix_names.length;
  if (token < prefix) {
    const same = to.prefix_names.indexOf(from.prefix_names[token]);
    return same >= 0 ? same : to.prefix_names.length ? 0 : null;
  }
  const row = Math.floor((token - prefix) / from.cols), col = (token - prefix) % from.cols;
  const size = from.patch_size, x = ((col + 0.5) * size) / from.image.width, y = ((row + 0.5) * size) / from.image.height;
  return patchAt(to, ...moved(x, y));
}

// The patch token at a place of the picture, in shares of it; null outside. A place on a border is the later patch's,
// whatever the rounding.
function patchAt({ rows, cols, patch_size: size, prefix_names: names, image }, x, y) {
  const row = Math.floor((y * image.height) / size + 1e-9), col = Math.floor((x * image.width) / size + 1e-9);
  return row >= 0 && row < rows && col >= 0 && col < cols ? names.length + row * cols + col : null;
}

// The layer of b at the same depth: the same number where both have as many, else first to first and last to last.
export function linkedLayer(layer, layersA, layersB) {
  if (layersA === layersB) return layer;
  return layersA > 1 ? Math.round((layer / (layersA - 1)) * (layersB - 1)) : layersB - 1;
}

// The head of b with the same number; null where b has no such head, and for null, the heads fused.
export function linkedHead(head, headsA, headsB) {
  return head !== null && head < headsB ? head : null;
}

// Whether the two can be subtracted patch by patch.
export function comparable(a, b, linked) {
  return a.rows === b.rows && a.cols === b.cols && (linked.kind === "place" || linked.kind === "flip");
}

// B minus A, [token] in a's order, B's patches flipped back: for two that are `comparable`. A prefix token that b lacks gets 0.
export function differenceOf(rowA, rowB, a, b, linked, out = null) {
  if (out?.length !== rowA.length) out = new Float32Array(rowA.length);
  const { cols } = a, prefix = a.prefix_names.length, shift = b.prefix_names.length - prefix, flip = linked.kind === "flip";
  for (let token = 0; token < prefix; token++) {
    const same = b.prefix_names.indexOf(a.prefix_names[token]);
    out[token] = same < 0 ? 0 : rowB[same] - rowA[token];
  }
  for (let token = prefix; token < out.length; token++) {
    const mirrored = flip ? token + cols - 1 - 2 * ((token - prefix) % cols) : token;
    out[token] = rowB[mirrored + shift] - rowA[token];
  }
  return out;
}
