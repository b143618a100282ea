// The component: Streamlit calls `update` when it mounts, and again on the same elements when data or theme change.
//
// For tests and the curious, the element .vizvit carries data-ready, data-query, data-layer, data-head ("mean" or a
// number), data-frame-ms (compute and draw of the last hover frame), and `__vizvit` with `rows(layer, token)` ->
// Float32Array [head, key].

import { drawAtlas } from "./atlas.js";
import { attentionRows } from "./attention.js";
import { paintPixels, paintScale } from "./colour.js";
import { attachControls, fillControls } from "./controls.js";
import { clearMaps, drawFrame } from "./drawing.js";
import { attachKeyboard } from "./keyboard.js";
import { tileColumns } from "./layout.js";
import { decodeLayer, readPayload } from "./payload.js";
import { attachPointer } from "./pointer.js";
import { createSettle, stampOf } from "./settle.js";
import { createState, layerOf } from "./state.js";
import { buildView } from "./view.js";
import { fill } from "./words.js";

const apps = new WeakMap(); // parentElement -> its explorer

export default function update(component) {
  const { parentElement, data } = component;
  let app = apps.get(parentElement);
  if (!app) apps.set(parentElement, (app = createApp(parentElement)));
  app.send = (name, value) => component.setStateValue(name, value);
  if (data && data !== app.data) receive(app, data);
  return () => close(app, parentElement);
}

function createApp(parentElement) {
  const root = parentElement.querySelector(".vizvit");
  const app = Object.assign(createState(), { root, dom: buildView(root), decode: decodeLayer });
  app.schedule = () => (app.frame ||= requestAnimationFrame(() => draw(app)));
  app.settle = createSettle(app);
  attachPointer(app);
  attachKeyboard(app);
  attachControls(app);
  app.observer = new ResizeObserver(() => arrange(app));
  app.observer.observe(root);
  root.__vizvit = {
    rows: (layer, token) => attentionRows(layerOf(app, layer), token),
    get choice() { return { ...app.choice }; },
    get loaded() { return [...app.sections.keys()]; },
  };
  return app;
}

function receive(app, data) {
  let payload;
  try {
    payload = readPayload(data);
  } catch (error) {
    app.dom.failure.textContent = fill(app.texts?.unreadable ?? "{reason}", { reason: error.message });
    return;
  }
  const { session, capture } = payload, known = app.capture?.capture === capture.capture;
  app.dom.failure.textContent = "";
  app.data = data;
  const moved = session.start !== app.session?.start;
  Object.assign(app, { session, texts: session.texts, capture, colours: payload.colours, requested: null });
  if (!known) {
    Object.assign(app, { sections: new Map(), decoded: new Map(), hover: null, inspect: null });
    drawPicture(app, payload);
    clearMaps(app);
  }
  for (const [layer, section] of payload.sections) if (!app.decoded.has(layer)) app.sections.set(layer, section);
  if (moved) {
    Object.assign(app, { choice: { ...session.selection }, hover: null, inspect: null });
    app.reported = stampOf(app);
  }
  fillControls(app);
  arrange(app);
  draw(app);
  if (!app.sections.has(app.choice.layer)) app.settle();
}

function draw(app) {
  cancelAnimationFrame(app.frame);
  app.frame = 0;
  if (!app.capture) return;
  drawFrame(app);
  drawAtlas(app);
  clearTimeout(app.liveTimer); // spoken only when it rests
  app.liveTimer = setTimeout(() => (app.dom.live.textContent = app.sentence ?? ""), 600);
}

function drawPicture(app, { pixels, capture }) {
  const { dom, root, colours } = app, { rows, cols, patch_size: patch, image } = capture;
  paintPixels(dom.photo, pixels, image.height, image.width);
  paintScale(dom.scale, colours);
  dom.svg.setAttribute("viewBox", `0 0 ${cols} ${rows}`);
  const lines = [];
  for (let row = 1; row < rows; row++) lines.push(`M0 ${row}H${cols}`);
  for (let col = 1; col < cols; col++) lines.push(`M${col} 0V${rows}`);
  dom.grid.setAttribute("d", lines.join(""));
  for (const rect of Object.values(dom.marks).flat()) {
    rect.setAttribute("width", 1);
    rect.setAttribute("height", 1);
  }
  dom.cover.style.width = `${Math.min(100, (100 * cols * patch) / image.width)}%`;
  dom.cover.style.height = `${Math.min(100, (100 * rows * patch) / image.height)}%`;
  dom.picture.setAttribute("aria-label", fill(app.texts.picture, { home: capture.prefix_names[0] ?? "0" }));
  const values = { "--rows": rows, "--cols": cols, "--ratio": image.width / image.height };
  for (const [name, value] of Object.entries(values)) root.style.setProperty(name, value);
}

// Head maps as large as the picture's height allows; on a narrow screen below it.
function arrange(app) {
  if (!app.capture) return;
  const { hero, side, tiles, tile } = app.dom, { rows, cols, num_heads: heads } = app.capture;
  const beside = side.getBoundingClientRect().left > hero.getBoundingClientRect().left + 8;
  const above = tiles.getBoundingClientRect().top - side.getBoundingClientRect().top;
  const gap = parseFloat(getComputedStyle(tiles).columnGap) || 8;
  const foot = tile[0].button.offsetHeight - tile[0].map.offsetHeight || 26;
  const height = beside ? hero.offsetHeight - above : 0;
  const columns = tileColumns({ count: heads + 1, width: tiles.clientWidth, height, ratio: cols / rows, gap, foot });
  app.root.style.setProperty("--columns", columns);
}

function close(app, parentElement) {
  app.observer.disconnect();
  cancelAnimationFrame(app.frame);
  if (app.atlas?.frame) cancelAnimationFrame(app.atlas.frame);
  clearTimeout(app.settleTimer);
  clearTimeout(app.liveTimer);
  app.root.replaceChildren();
  apps.delete(parentElement);
}
