// The views put aside as small pictures, each a click away.

import { tokensOfArea } from "../compute/patches.js";
import { limitsOf } from "../compute/scaling.js";
import { openView } from "../state/changes.js";
import { rowOfView } from "../state/content.js";
import { featureOfView, hasQuery, isFeatured } from "../state/featureviews.js";
import { pinnedViews, removePin, stampOfPin } from "../state/pins.js";
import { prefixCount } from "../state/sides.js";
import { coloursFor, paintMap } from "./colour.js";
import { element, keepFocus } from "./elements.js";
import { paintFeature } from "./featuremaps.js";
import { areaName, fill, tokenName, viewName } from "./words.js";

const PIN_MS = 6; // of a frame for the maps that are not made yet

export function drawPins(app) {
  const { dom, texts, a } = app, views = pinnedViews(app);
  dom.pinsLine.hidden = views.length === 0;
  if (app.pinRows?.capture !== a.capture.capture) app.pinRows = { capture: a.capture.capture, rows: new Map(), memories: new Map() };
  const ready = views.map((view) => Boolean(pinRow(app, view)));
  const stamp = [a.capture.capture, texts.layer, ready, ...views.map(stampOfPin)].join();
  if (dom.pinned.stamp === stamp) return;
  dom.pinned.stamp = stamp;
  app.arrangeSoon(); // they take room from the heads
  keepFocus(dom.pinned, () => dom.pinned.replaceChildren(...views.map((view) => pinElement(app, view))));
}

// A pin's map, made once for each picture, a slice at a time.
function pinRow(app, view) {
  const { rows, memories } = app.pinRows, stamp = stampOfPin(view);
  if (rows.has(stamp)) return rows.get(stamp);
  if (isFeatured({ choice: view })) {
    const item = featureOfView(app, view);
    if (item) rows.set(stamp, item);
    return item;
  }
  if (!memories.has(stamp)) memories.set(stamp, {});
  const memory = memories.get(stamp), tokens = view.area ? tokensOfArea(app.a.capture, view.area) : [view.token];
  const row = rowOfView(app, view, tokens, memory, PIN_MS);
  if (!row) {
    if (memory.task) app.schedule(); // on its way; what is missing altogether comes with a frame of its own
    return null;
  }
  memories.delete(stamp);
  rows.set(stamp, row.slice());
  return row;
}

function pinElement(app, view) {
  const { a, texts } = app, { rows, cols } = a.capture, name = pinName(app, view), row = pinRow(app, view);
  const map = element("canvas", { "aria-hidden": "true" });
  const open = element("button", { type: "button", class: "pin-open", title: name },
    element("span", { class: row ? "map" : "map empty" }, row ? map : "…"), element("span", { class: "pin-name" }, name));
  const remove = element("button", { type: "button", class: "pin-remove", "aria-label": fill(texts.unpin, { name }) }, "×");
  open.addEventListener("click", () => openView(app, view));
  remove.addEventListener("click", () => {
    removePin(app, view);
    app.schedule();
  });
  if (row && isFeatured({ choice: view })) paintFeature(app, map, a, row, view.view);
  else if (row) {
    const shown = { row, first: prefixCount(a), count: rows * cols };
    const [limits] = limitsOf([shown], view.scale === "shared" ? "own" : view.scale, view.curve);
    paintMap(map, shown, rows, cols, limits, coloursFor(a, view));
  }
  return element("span", { class: "pin" }, open, remove);
}

function pinName({ texts, a: { capture } }, view) {
  if (!hasQuery({ choice: view })) return viewName({ texts, choice: view });
  const query = view.area ? areaName(texts, view.area) : tokenName(capture, texts, view.token);
  return `${viewName({ texts, choice: view })} · ${isFeatured({ choice: view }) ? texts.similar_to : view.direction === "to" ? texts.towards : texts.from} ${query}`;
}
