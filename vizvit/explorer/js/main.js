// The component: Streamlit calls `update` when it mounts, and again on the same elements when data or theme change.
//
// For tests and the curious, the element .vizvit carries data-ready, data-query, data-layer (a number or "rollout"),
// data-head ("mean", "max", "min" or a number), data-direction, data-view, data-pending, data-frame-ms (compute and draw of the last
// hover frame), data-atlas-ms (of the last matrix of all layers and heads), and `__vizvit` with
// `rows(layer, token)` -> Float32Array [head, key], `shown(side)` -> the row on the picture, and `survey(layer)`.

import { attachControls } from "./act/clicks.js";
import { attachHelp, fillHelp } from "./act/help.js";
import { attachKeyboard } from "./act/keyboard.js";
import { attachMenu, fillMenu } from "./act/menu.js";
import { attachPointer } from "./act/pointer.js";
import { startWandering } from "./act/wander.js";
import { attentionRows } from "./compute/attention.js";
import { decodeLayer } from "./compute/payload.js";
import { drawAtlas } from "./draw/atlas.js";
import { drawControls } from "./draw/controls.js";
import { drawFrame } from "./draw/frame.js";
import { fillControls } from "./draw/labels.js";
import { arrange } from "./draw/layout.js";
import { speak } from "./draw/reading.js";
import { drawNumbers } from "./draw/table.js";
import { drawPins } from "./draw/tray.js";
import { buildView } from "./draw/view.js";
import { buildViews, drawViews } from "./draw/views.js";
import { drawWhy } from "./draw/why.js";
import { receiveAnswer } from "./keep/files.js";
import { openView, settledView } from "./state/changes.js";
import { shownRow } from "./state/content.js";
import { isFeatured, takeFeatures } from "./state/featureviews.js";
import { pinnedViews } from "./state/pins.js";
import { layerOf } from "./state/sides.js";
import { createState } from "./state/state.js";
import { receive } from "./wire/receiving.js";
import { createSettle } from "./wire/settle.js";
import { attachSurveyor } from "./wire/surveying.js";

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
  buildViews(app);
  app.schedule = () => (app.frame ||= requestAnimationFrame(() => draw(app)));
  app.arrangeSoon = () => (app.arranging ||= requestAnimationFrame(() => arrange(app)));
  app.settle = createSettle(app);
  app.settledView = () => settledView(app);
  app.openView = (view) => openView(app, view);
  app.takeFile = (header, bytes) => receiveAnswer(app, header, bytes);
  app.refresh = () => refresh(app);
  attachSurveyor(app);
  attachPointer(app);
  attachKeyboard(app);
  attachControls(app);
  attachMenu(app);
  attachHelp(app);
  app.observer = new ResizeObserver(app.arrangeSoon);
  for (let box = root; box; box = box.parentNode ?? box.host) if (box instanceof Element) app.observer.observe(box); // what stands above comes and goes
  addEventListener("resize", app.arrangeSoon);
  app.endings.push(() => removeEventListener("resize", app.arrangeSoon));
  root.__vizvit = {
    rows: (layer, token) => attentionRows(layerOf(app.a, layer), token),
    shown: (side = "a") => (app[side]?.content?.items.length ? shownRow(app[side]) : null),
    survey: (layer) => app.surveyOf(app.a, layer),
    feature: (side = "a") => app[side]?.content?.items[0],
    get difference() { return app.difference ?? null; },
    get choice() { return { ...app.choice }; },
    get options() { return { ...app.options }; },
    get vectors() { return [...(app.a.features?.sections.keys() ?? [])]; },
    get loaded() { return [...app.a.sections.keys()]; },
    received: 0, // how often a capture came
    get pins() { return pinnedViews(app); },
  };
  return app;
}

function refresh(app) {
  takeFeatures(app);
  fillControls(app);
  fillMenu(app);
  fillHelp(app);
  draw(app);
  arrange(app);
  startWandering(app);
  app.settle(); // layers that are not here may be wanted
}

function draw(app) {
  cancelAnimationFrame(app.frame);
  app.frame = 0;
  if (!app.a.capture) return;
  drawViews(app);
  drawControls(app);
  drawFrame(app);
  if (!isFeatured(app)) {
    drawAtlas(app);
    drawNumbers(app);
    drawWhy(app);
  }
  drawPins(app);
  clearTimeout(app.liveTimer); // spoken only when it rests
  app.liveTimer = setTimeout(() => speak(app), 600);
}

function close(app, parentElement) {
  app.observer.disconnect();
  app.surveyor.close();
  for (const end of app.endings) end();
  for (const frame of [app.frame, app.arranging, app.atlas?.frame]) if (frame) cancelAnimationFrame(frame);
  for (const timer of [app.settleTimer, app.liveTimer, app.playTimer, app.noticeTimer, app.restTimer]) clearTimeout(timer);
  app.root.replaceChildren();
  apps.delete(parentElement);
}
