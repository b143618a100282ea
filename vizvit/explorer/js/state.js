// What is being looked at. `choice` and `options` are settled and known to Python; `hover`, `drag` and `inspect` live
// only while pointing. A side is one capture: `app.a`, and `app.b` where something is compared.

export const HOME = 0; // the query to fall back to: the first prefix token, or the first patch
const DECODED_BYTES = 320 * 2 ** 20; // arrays kept in float32; the half-precision bytes stay, so it costs a decoding

export function createState() {
  return {
    choice: {
      layer: 0,
      head: null, // null: the heads fused
      token: HOME,
      area: null, // [top, left, bottom, right] of patches, inclusive: the query is their mean
      key: null, // the token whose number is explained
      direction: "from", // "from": what the query attends to; "to": what attends to it
      fuse: "mean", // mean, max, min
      rollout: false,
    },
    options: {
      scale: "own", curve: "linear", smooth: false, colours: "viridis", opacity: 0.6, grid_lines: true, true_pixels: false,
    },
    folds: { atlas: false, numbers: false, why: false },
    tool: "look", // look, area, read
    hover: null, // a query token tried out
    drag: null, // a rectangle being drawn, as `area`
    pressed: null, // where the pointer went down
    inspect: null, // { token, head }: a key whose value is read out
    a: createSide("a"),
    b: null,
    pins: [],
    asked: Date.now(), // number of the last request to Python; never one of an earlier visit
  };
}

export function createSide(name) {
  return {
    name,
    capture: null, // the header of its blob
    sections: new Map(), // layer -> bytes
    decoded: new Map(), // layer -> arrays, the latest used last
    surveys: new Map(), // layer -> what one pass over all its queries found
    place: null, // its name with the surveyor
    chain: new Map(), // layer -> the rollout's matrix of it
    chainOf: null, // how they were fused
    failed: new Set(), // what could not be surveyed
    requested: null, // the layer asked of Python
    task: null, // a mean over a rectangle, on its way
    content: null, // what is drawn: see content.js
  };
}

export function sidesOf(app) {
  return app.b ? [app.a, app.b] : [app.a];
}

export function queryOf(app) {
  return app.hover ?? app.choice.token;
}

// The patches of the query as [top, left, bottom, right]; null where it is a single token.
export function areaOf(app) {
  return app.drag ?? (app.hover === null ? app.choice.area : null);
}

// All tokens of the query, whose mean is shown.
export function queryTokens(app) {
  const area = areaOf(app);
  return area ? tokensOfArea(app.a.capture, area) : [queryOf(app)];
}

export function tokensOfArea(capture, [top, left, bottom, right]) {
  const tokens = [], prefix = capture.prefix_names.length;
  for (let row = top; row <= bottom; row++) for (let col = left; col <= right; col++) tokens.push(prefix + row * capture.cols + col);
  return tokens;
}

export function prefixCount(side) {
  return side.capture.prefix_names.length;
}

// The row and column of a patch token; null for a prefix token.
export function placeOf(capture, token) {
  const patch = token - capture.prefix_names.length;
  return patch < 0 ? null : [Math.floor(patch / capture.cols), patch % capture.cols];
}

// The decoded arrays of a layer, or null where Python has not sent it.
export function layerOf(side, layer) {
  const known = side.decoded.get(layer);
  if (known) {
    side.decoded.delete(layer); // the latest used stand last
    side.decoded.set(layer, known);
    return known;
  }
  if (!side.sections.has(layer)) return null;
  const arrays = side.decode(side.capture, side.sections.get(layer));
  const size = 4 * (arrays.queries.length + arrays.keys.length + (arrays.bias?.length ?? 0));
  while (side.decoded.size && (side.decoded.size + 1) * size > DECODED_BYTES) side.decoded.delete(side.decoded.keys().next().value);
  side.decoded.set(layer, arrays);
  return arrays;
}

// A choice made by a person: kept within bounds, drawn, and reported once it has settled.
export function choose(app, values) {
  if ("token" in values && !("area" in values)) values = { ...values, area: null };
  if (("layer" in values || "head" in values) && !("rollout" in values)) values = { ...values, rollout: false };
  Object.assign(app.choice, values);
  app.choice.layer = Math.min(Math.max(app.choice.layer, 0), app.a.capture.num_layers - 1);
  app.schedule();
  app.settle();
}

// Something that only this browser needs to know.
export function show(app, values) {
  Object.assign(app, values);
  app.schedule();
}

export function setOption(app, values) {
  Object.assign(app.options, values);
  app.schedule();
  app.settle();
}

export function toggleFold(app, name) {
  app.folds[name] = !app.folds[name];
  app.schedule();
  app.settle(); // an open fold may need layers that are not here
}

// The choice, the display and the open folds together, as Python knows them.
export function settledView(app) {
  const open = Object.keys(app.folds).filter((name) => app.folds[name]);
  return { ...app.choice, ...app.options, open };
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

// A view, as an address or a pin has it, becomes what is chosen.
export function applyView(app, view) {
  for (const [name, value] of Object.entries(view)) {
    if (name in app.choice) app.choice[name] = value;
    else if (name in app.options) app.options[name] = value;
  }
  for (const name of Object.keys(app.folds)) if (view.open) app.folds[name] = view.open.includes(name);
  Object.assign(app, { hover: null, inspect: null, drag: null, pressed: null });
}
