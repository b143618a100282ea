// All layers and heads at once from the current query: layers across, heads down, each map on the chosen scale.

import { readerOf } from "../compute/attention.js";
import { average, averaging } from "../compute/averaging.js";
import { limitsOf, shadeMap } from "../compute/scaling.js";
import { layerOf, prefixCount } from "../state/sides.js";
import { queryTokens } from "../state/state.js";
import { coloursFor } from "./colour.js";

const SLICE_MS = 12; // of a frame; the rest of the layers follow in the next ones

export function drawAtlas(app) {
  const { dom, choice, folds, options, a } = app;
  if (!folds.atlas) return;
  prepare(app);
  const style = dom.atlasMark.style;
  style.setProperty("--head", choice.head ?? 0);
  style.setProperty("--span", choice.head === null ? a.capture.num_heads : 1);
  dom.atlasMark.hidden = choice.rollout;
  dom.atlas.setAttribute("aria-valuetext", `${app.texts.layer} ${choice.layer}`);
  const wanted = [a.capture.capture, queryTokens(app), choice.direction, options.scale, options.curve, options.colours, options.blend, a.sections.size,
    choice.direction === "to" ? a.surveys.size : 0].join(" ");
  if (app.atlas.wanted !== wanted) Object.assign(app.atlas, { wanted, left: a.capture.num_layers, started: performance.now() });
  if (app.atlas.left && !app.atlas.frame) {
    if (performance.now() - app.atlas.started < 1) drawSlice(app);
    else app.atlas.frame = requestAnimationFrame(() => drawSlice(app));
  }
}

function prepare(app) {
  const { dom, root, a: { capture } } = app, { rows, cols, num_layers: layers, num_heads: heads } = capture;
  const shape = [rows, cols, layers, heads].join();
  if (app.atlas?.shape === shape) return;
  if (app.atlas?.frame) cancelAnimationFrame(app.atlas.frame);
  const gap = Math.max(1, Math.round(cols / 12));
  const width = layers * (cols + gap) - gap, height = heads * (rows + gap) - gap;
  Object.assign(dom.atlas, { width, height });
  const image = new ImageData(cols, height);
  app.atlas = { shape, gap, image, pixels: new Uint32Array(image.data.buffer), next: 0, left: 0, frame: 0 };
  const percent = (part, whole) => `${(100 * part) / whole}%`;
  const values = {
    "--atlas-ratio": width / height,
    "--across": percent(cols + gap, width), "--cell-width": percent(cols, width),
    "--down": percent(rows + gap, height), "--cell-height": percent(rows, height),
  };
  for (const [name, value] of Object.entries(values)) root.style.setProperty(name, value);
  for (const [list, count] of [[dom.atlasLayers, layers], [dom.atlasHeads, heads]]) {
    list.replaceChildren(...Array.from({ length: count }, (_, i) => Object.assign(document.createElement("span"), { textContent: i })));
  }
}

function drawSlice(app) {
  const { atlas, a } = app, started = performance.now();
  atlas.frame = 0;
  do {
    if (!drawColumn(app, atlas.next, SLICE_MS - (performance.now() - started))) break; // the rest of this one in the next frame
    atlas.next = (atlas.next + 1) % a.capture.num_layers;
    atlas.left--;
  } while (atlas.left > 0 && performance.now() - started < SLICE_MS);
  if (atlas.left > 0) atlas.frame = requestAnimationFrame(() => drawSlice(app));
  else app.root.dataset.atlasMs = (performance.now() - atlas.started).toFixed(2);
}

// The maps of one layer, one below the other; false while they are not whole. A layer that is not here yet is pale.
function drawColumn(app, index, milliseconds) {
  const { dom, atlas, a, options } = app, { rows, cols, num_heads: heads, num_tokens: tokens } = a.capture;
  const context = dom.atlas.getContext("2d"), left = index * (cols + atlas.gap), values = layerRows(app, index, milliseconds);
  if (values === undefined) return false;
  context.clearRect(left, 0, cols, dom.atlas.height);
  if (!values) {
    context.fillStyle = "rgb(128 128 128 / 0.12)";
    for (let head = 0; head < heads; head++) context.fillRect(left, head * (rows + atlas.gap), cols, rows);
    return true;
  }
  atlas.pixels.fill(0);
  const first = prefixCount(a), count = rows * cols;
  const maps = Array.from({ length: heads }, (_, head) => ({ row: values.subarray(head * tokens, (head + 1) * tokens), first, count }));
  const limits = limitsOf(maps, options.scale, options.curve);
  maps.forEach(({ row }, head) => {
    shadeMap(atlas.pixels, cols, row, first, rows, cols, limits[head], coloursFor(a, options), head * (rows + atlas.gap) * cols);
  });
  context.putImageData(atlas.image, left, 0);
  return true;
}

// [head, token] of a layer for the query; null where the layer is not here, undefined while a rectangle's mean is made.
function layerRows(app, index, milliseconds) {
  const { a, choice, atlas } = app, layer = layerOf(a, index), lse = choice.direction === "to" ? app.surveyOf(a, index)?.lse : null;
  if (!layer || lse === undefined) return null;
  const size = layer.heads * layer.tokens, tokens = queryTokens(app);
  if (atlas.rows?.length !== size) atlas.rows = new Float32Array(size);
  const compute = readerOf(layer, lse);
  if (tokens.length === 1) return compute(tokens[0], atlas.rows);
  const stamp = `${index} ${atlas.wanted}`;
  if (atlas.task?.stamp !== stamp) atlas.task = { ...averaging(size, tokens), stamp };
  return average(atlas.task, compute, atlas.rows, milliseconds) ? atlas.task.sum : undefined;
}

export function atlasCellAt(app, event) {
  const { num_layers: layers, num_heads: heads } = app.a.capture, box = app.dom.atlas.getBoundingClientRect();
  const layer = Math.floor(((event.clientX - box.left) / box.width) * layers);
  const head = Math.floor(((event.clientY - box.top) / box.height) * heads);
  return layer >= 0 && layer < layers && head >= 0 && head < heads ? { layer, head } : null;
}
