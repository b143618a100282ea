// All layers and heads at once from the current query: layers across, heads down, each map on its own scale.

import { attentionRows, peakOf } from "./attention.js";
import { paintMap } from "./colour.js";
import { layerOf, prefixCount, queryOf } from "./state.js";

const SLICE_MS = 5; // of a frame; the rest of the layers follow in the next ones

export function drawAtlas(app) {
  const { dom, capture, choice, options } = app;
  dom.atlasButton.setAttribute("aria-expanded", options.atlas);
  dom.atlasBody.hidden = dom.atlasHint.hidden = !options.atlas;
  if (!options.atlas) return;
  prepare(app);
  const style = dom.atlasMark.style;
  style.setProperty("--head", choice.head ?? 0);
  style.setProperty("--span", choice.head === null ? capture.num_heads : 1);
  const wanted = `${capture.capture} ${queryOf(app)} ${app.sections.size}`;
  if (app.atlas.wanted !== wanted) Object.assign(app.atlas, { wanted, left: capture.num_layers });
  if (app.atlas.left && !app.atlas.frame) app.atlas.frame = requestAnimationFrame(() => drawSlice(app));
}

function prepare(app) {
  const { dom, capture, root } = app, { rows, cols, num_layers: layers, num_heads: heads } = capture;
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
  const { capture, atlas } = app, started = performance.now();
  atlas.frame = 0;
  do {
    drawColumn(app, atlas.next);
    atlas.next = (atlas.next + 1) % capture.num_layers;
    atlas.left--;
  } while (atlas.left > 0 && performance.now() - started < SLICE_MS);
  if (atlas.left > 0) atlas.frame = requestAnimationFrame(() => drawSlice(app));
}

// The maps of one layer, one below the other. A layer that was not sent is a column of pale blanks.
function drawColumn(app, index) {
  const { dom, capture, atlas, colours } = app, { rows, cols } = capture, layer = layerOf(app, index);
  const context = dom.atlas.getContext("2d"), left = index * (cols + atlas.gap);
  context.clearRect(left, 0, cols, dom.atlas.height);
  if (!layer) {
    context.fillStyle = "rgb(128 128 128 / 0.12)";
    for (let head = 0; head < capture.num_heads; head++) context.fillRect(left, head * (rows + atlas.gap), cols, rows);
    return;
  }
  const values = attentionRows(layer, queryOf(app)), prefix = prefixCount(app);
  atlas.pixels.fill(0);
  for (let head = 0; head < layer.heads; head++) {
    const row = values.subarray(head * layer.tokens, (head + 1) * layer.tokens);
    const at = head * (rows + atlas.gap) * cols;
    paintMap(atlas.pixels, cols, row, prefix, rows, cols, row[peakOf(row, prefix)], colours, at);
  }
  context.putImageData(atlas.image, left, 0);
}

export function atlasCellAt(app, event) {
  const { num_layers: layers, num_heads: heads } = app.capture, box = app.dom.atlas.getBoundingClientRect();
  const layer = Math.floor(((event.clientX - box.left) / box.width) * layers);
  const head = Math.floor(((event.clientY - box.top) / box.height) * heads);
  return layer >= 0 && layer < layers && head >= 0 && head < heads ? { layer, head } : null;
}
