// The component: Streamlit calls `update` when it mounts, and again on the same elements when data or theme change.
//
// For tests and the curious, the element .vizvit carries data-ready, data-query, data-layer (a number or "rollout"),
// data-head ("mean", "max", "min" or a number), data-direction, data-pending, data-frame-ms (compute and draw of the last
// hover frame), data-atlas-ms (of the last matrix of all layers and heads), and `__vizvit` with
// `rows(layer, token)` -> Float32Array [head, key], `shown(side)` -> the row on the picture, and `survey(layer)`.

import { drawAtlas } from "./atlas.js";
import { attentionRows } from "./attention.js";
import { attachControls, drawControls, fillControls } from "./controls.js";
import { drawFrame, shownRow } from "./drawing.js";
import { attachKeyboard } from "./keyboard.js";
import { tileColumns } from "./layout.js";
import { attachMenu } from "./menu.js";
import { drawNumbers } from "./numbers.js";
import { decodeLayer } from "./payload.js";
import { drawPins, pinnedViews } from "./pins.js";
import { attachPointer } from "./pointer.js";
import { receive } from "./receiving.js";
import { createSettle } from "./settle.js";
import { applyView, createState, layerOf, settledView, sidesOf } from "./state.js";
import { createSurveyor } from "./surveyor.js";
import { buildView, placeParts } from "./view.js";
import { drawWhy } from "./why.js";
import { fill } from "./words.js";

const NARROW = 720; // CSS pixels; below, one column

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
  const app = Object.assign(createState(), { root, dom: buildView(root), speed: 1, answers: new Map(), endings: [] });
  app.a.decode = decodeLayer;
  app.schedule = () => (app.frame ||= requestAnimationFrame(() => draw(app)));
  app.arrangeSoon = () => (app.arranging ||= requestAnimationFrame(() => arrange(app)));
  app.settle = createSettle(app);
  app.settledView = () => settledView(app);
  app.openView = (view) => openView(app, view);
  app.refresh = () => refresh(app);
  attachSurveyor(app);
  attachPointer(app);
  attachKeyboard(app);
  attachControls(app);
  attachMenu(app);
  app.observer = new ResizeObserver(app.arrangeSoon);
  app.observer.observe(root);
  root.__vizvit = {
    rows: (layer, token) => attentionRows(layerOf(app.a, layer), token),
    shown: (side = "a") => (app[side]?.content?.items.length ? shownRow(app[side]) : null),
    survey: (layer) => app.surveyOf(app.a, layer),
    get difference() { return app.difference ?? null; },
    get choice() { return { ...app.choice }; },
    get options() { return { ...app.options }; },
    get loaded() { return [...app.a.sections.keys()]; },
    received: 0, // how often a capture came
    get pins() { return pinnedViews(app); },
  };
  return app;
}

// What needs a pass over a whole layer is done beside the page.
function attachSurveyor(app) {
  app.surveyor = createSurveyor(({ kind, side: place, index, how, result, error }) => {
    const side = sidesOf(app).find((one) => one.place === place);
    if (!side) return; // of a picture that is gone
    if (error) {
      app.dom.failure.textContent = fill(app.texts.unreadable, { reason: error });
      side.failed.add(`${kind} ${index}`); // the same again would fail again
    }
    else if (kind === "survey") side.surveys.set(index, result);
    else if (side.chainOf === how) side.chain.set(index, result);
    app.schedule();
  });
  app.surveyOf = (side, index) => {
    if (!side.surveys.has(index) && !side.failed.has(`survey ${index}`)) {
      app.surveyor.ask("survey", side.place, index, { layer: () => layerOf(side, index), geometry: geometryOf(side.capture) }, 1);
    }
    return side.surveys.get(index);
  };
  app.askFused = (side, index, how) => {
    if (side.sections.has(index) && !side.failed.has(`fused ${index}`)) app.surveyor.ask("fused", side.place, index, { layer: () => layerOf(side, index), how, residual: 0.5 });
  };
}

function geometryOf({ rows, cols, patch_size, prefix_names }) {
  return { rows, cols, patch_size, prefix: prefix_names.length };
}

function refresh(app) {
  fillControls(app);
  draw(app);
  arrange(app);
  app.settle(); // layers that are not here may be wanted
}

// A view put aside, or come by a link.
function openView(app, view) {
  applyView(app, { ...view, open: undefined }); // a pinned view leaves the folds as they are
  app.schedule();
  app.settle();
}

function draw(app) {
  cancelAnimationFrame(app.frame);
  app.frame = 0;
  if (!app.a.capture) return;
  drawControls(app);
  drawFrame(app);
  drawAtlas(app);
  drawNumbers(app);
  drawWhy(app);
  drawPins(app);
  clearTimeout(app.liveTimer); // spoken only when it rests
  app.liveTimer = setTimeout(() => speak(app), 600);
}

function speak(app) {
  app.dom.live.textContent = app.sentence ?? "";
  for (const { button, share } of app.dom.tile) {
    if (share.textContent) button.setAttribute("aria-description", `${app.texts.bar} ${share.textContent}`);
  }
  app.settle(); // the number that is explained may be another by now
}

// Head maps as large as the height of what stands beside them allows; on a narrow screen below it.
function arrange(app) {
  app.arranging = 0;
  if (!app.a.capture || !app.dom.tile) return;
  const narrow = app.root.clientWidth < NARROW;
  if (app.narrow !== narrow) placeParts(app.dom, (app.narrow = narrow));
  app.root.classList.toggle("narrow", narrow);
  const { side, tiles, tile } = app.dom, { rows, cols } = app.a.capture;
  const above = tiles.getBoundingClientRect().top - side.getBoundingClientRect().top;
  const gap = parseFloat(getComputedStyle(tiles).columnGap) || 8;
  const foot = tile[0].button.offsetHeight - tile[0].map.offsetHeight || 26;
  const { pictures, queryLine, controls } = app.dom;
  const room = app.b ? controls.offsetHeight : pictures.offsetHeight + queryLine.offsetHeight;
  const height = narrow ? 0 : room - above;
  const ratio = app.b ? 2 * (cols / rows) : cols / rows;
  const wide = app.b ? { smallest: 110, comfortable: 150 } : {};
  const columns = tileColumns({ count: tile.length, width: tiles.clientWidth, height, ratio, gap, foot, ...wide });
  app.root.style.setProperty("--columns", columns);
}

function close(app, parentElement) {
  app.observer.disconnect();
  app.surveyor.close();
  for (const end of app.endings) end();
  for (const frame of [app.frame, app.arranging, app.atlas?.frame]) if (frame) cancelAnimationFrame(frame);
  for (const timer of [app.settleTimer, app.liveTimer, app.playTimer, app.noticeTimer]) clearTimeout(timer);
  app.root.replaceChildren();
  apps.delete(parentElement);
}
