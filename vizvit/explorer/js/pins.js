// Views put aside: a tray of small pictures, each a click away, and the panels of the handout.

import { paintMap } from "./colour.js";
import { rowOfView } from "./content.js";
import { notice } from "./notice.js";
import { viewName } from "./reading.js";
import { limitsOf } from "./scaling.js";
import { prefixCount, settledView, tokensOfArea } from "./state.js";
import { element, keepFocus } from "./view.js";
import { areaName, fill, tokenName } from "./words.js";

const MOST_PINS = 6; // what a page of the handout holds
const PIN_MS = 6; // of a frame for the maps that are not made yet

export function pinView(app) {
  const view = settledView(app), stamp = stampOfPin(view), pins = pinnedViews(app);
  if (pins.some((pin) => stampOfPin(pin) === stamp)) return;
  if (pins.length >= MOST_PINS) return notice(app, fill(app.texts.pins_full, { count: MOST_PINS }));
  app.pins = [...app.pins, { view, grid: gridOf(app) }];
  keepPins(app);
  notice(app, fill(app.texts.pinned, { count: pins.length + 1, most: MOST_PINS }));
  app.schedule();
  app.settle(); // its layer may have to be fetched again one day
}

// Those of the grid that is shown.
export function pinnedViews(app) {
  return app.pins.filter((pin) => pin.grid === gridOf(app)).map((pin) => pin.view);
}

// Pins belong to this tab and outlive a change of page.
export function restorePins(app) {
  try {
    app.pins = JSON.parse(sessionStorage.getItem(placeOfPins(app)) ?? "[]");
  } catch {
    app.pins = []; // no storage here, or something else under this name
  }
}

export function drawPins(app) {
  const { dom, texts, a } = app, views = pinnedViews(app);
  dom.pinsLine.hidden = views.length === 0;
  if (app.pinRows?.capture !== a.capture.capture) app.pinRows = { capture: a.capture.capture, rows: new Map(), memories: new Map() };
  const ready = views.map((view) => Boolean(pinRow(app, view)));
  const stamp = [a.capture.capture, texts.layer, ready, ...views.map(stampOfPin)].join();
  if (dom.pinned.stamp === stamp) return;
  dom.pinned.stamp = stamp;
  keepFocus(dom.pinned, () => dom.pinned.replaceChildren(...views.map((view) => pinElement(app, view))));
}

// A pin's map, made once for each picture, a slice at a time.
function pinRow(app, view) {
  const { rows, memories } = app.pinRows, stamp = stampOfPin(view);
  if (rows.has(stamp)) return rows.get(stamp);
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
  const open = element("button", { type: "button", class: "pin-open" },
    element("span", { class: row ? "map" : "map empty" }, row ? map : "…"), element("span", { class: "pin-name" }, name));
  const remove = element("button", { type: "button", class: "pin-remove", "aria-label": fill(texts.unpin, { name }) }, "×");
  open.addEventListener("click", () => app.openView(view));
  remove.addEventListener("click", () => {
    const stamp = stampOfPin(view);
    app.pins = app.pins.filter((pin) => stampOfPin(pin.view) !== stamp || pin.grid !== gridOf(app));
    keepPins(app);
    app.schedule();
  });
  if (row) {
    const shown = { row, first: prefixCount(a), count: rows * cols };
    const [limits] = limitsOf([shown], view.scale === "shared" ? "own" : view.scale, view.curve);
    paintMap(map, shown, rows, cols, limits, a.colours[view.colours]);
  }
  return element("span", { class: "pin" }, open, remove);
}

function pinName({ texts, a: { capture } }, view) {
  const query = view.area ? areaName(texts, view.area) : tokenName(capture, texts, view.token);
  return `${viewName({ texts, choice: view })} · ${view.direction === "to" ? texts.towards : texts.from} ${query}`;
}

function gridOf({ a: { capture } }) {
  return [capture.num_layers, capture.num_heads, capture.rows, capture.cols, capture.prefix_names.length].join("×");
}

function stampOfPin(view) {
  return JSON.stringify(view);
}

function placeOfPins(app) {
  return `vizvit-pins-${app.session.key ?? ""}`;
}

function keepPins(app) {
  try {
    sessionStorage.setItem(placeOfPins(app), JSON.stringify(app.pins));
  } catch {
    // a browser without storage forgets them with the page
  }
}
