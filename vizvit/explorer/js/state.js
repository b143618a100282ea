// What is being looked at. `choice` is settled and known to Python; `hover` and `inspect` live only while pointing.

export const HOME = 0; // the query to fall back to: the first prefix token, or the first patch

export function createState() {
  return {
    choice: { layer: 0, head: null, token: HOME }, // head null: the mean of heads
    hover: null, // a query token tried out
    inspect: null, // { token, head }: a key whose value is read out
    options: { opacity: 0.6, gridLines: true, truePixels: false, shared: false, atlas: false },
    decoded: new Map(), // layer -> arrays, made when first looked at
    sections: new Map(), // layer -> bytes
    rows: null, // [head, key] from the current query
    mean: null, // [key]
  };
}

export function queryOf(app) {
  return app.hover ?? app.choice.token;
}

export function prefixCount(app) {
  return app.capture.prefix_names.length;
}

// The decoded arrays of a layer, or null where Python has not sent it.
export function layerOf(app, layer) {
  if (!app.decoded.has(layer) && app.sections.has(layer)) {
    app.decoded.set(layer, app.decode(app.capture, app.sections.get(layer)));
  }
  return app.decoded.get(layer) ?? null;
}

// A choice made by a person: kept within bounds, drawn, and reported once it has settled.
export function choose(app, values) {
  Object.assign(app.choice, values);
  app.choice.layer = Math.min(Math.max(app.choice.layer, 0), app.capture.num_layers - 1);
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
}

// The query patch one step further; from a prefix token into the middle of the picture.
export function stepPatch(app, down, right) {
  const { rows, cols } = app.capture, prefix = prefixCount(app), patch = queryOf(app) - prefix;
  if (patch < 0) return prefix + Math.floor((rows - 1) / 2) * cols + Math.floor((cols - 1) / 2);
  const row = Math.min(Math.max(Math.floor(patch / cols) + down, 0), rows - 1);
  const col = Math.min(Math.max((patch % cols) + right, 0), cols - 1);
  return prefix + row * cols + col;
}
