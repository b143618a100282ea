// Views put aside: a tray of small pictures, each a click away, and the pages of the handout.

import { paintMap } from "./colour.js";
import { rowOfView } from "./content.js";
import { queryName, viewName } from "./reading.js";
import { limitsOf } from "./scaling.js";
import { prefixCount, settledView, tokensOfArea } from "./state.js";
import { element } from "./view.js";
import { fill } from "./words.js";

const MOST = 6; // what a page of the handout holds

export function pinView(app) {
  const view = settledView(app), stamp = stampOf(view);
  if (app.pins.some((pin) => stampOf(pin.view) === stamp)) return;
  app.pins = [...app.pins, { view, grid: gridOf(app), name: `${viewName(app)} · ${arrow(app)} ${queryName({ ...app, hover: null, drag: null })}` }].slice(-MOST);
  keepPins(app);
  app.schedule();
}

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
  const { dom, texts, a } = app, pins = app.pins.filter((pin) => pin.grid === gridOf(app));
  dom.pinsLine.hidden = pins.length === 0;
  const ready = [a.sections.size, a.surveys.size, a.chain.size].join();
  const stamp = [a.capture.capture, ready, texts.layer, ...pins.map((pin) => stampOf(pin.view))].join();
  if (dom.pinned.stamp === stamp) return;
  dom.pinned.stamp = stamp;
  dom.pinned.replaceChildren(...pins.map((pin) => pinElement(app, pin, texts)));
}

function pinElement(app, pin, texts) {
  const map = element("canvas", { "aria-hidden": "true" }), { rows, cols } = app.a.capture;
  const open = element("button", { type: "button", class: "pin-open" }, element("span", { class: "map" }, map), element("span", { class: "pin-name" }, pin.name));
  const remove = element("button", { type: "button", class: "pin-remove", "aria-label": fill(texts.unpin, { name: pin.name }) }, "×");
  open.addEventListener("click", () => app.openView(pin.view));
  remove.addEventListener("click", () => {
    app.pins = app.pins.filter((other) => other !== pin);
    keepPins(app);
    app.schedule();
    app.dom.pin.focus();
  });
  const tokens = pin.view.area ? tokensOfArea(app.a.capture, pin.view.area) : [pin.view.token];
  const row = rowOfView(app, pin.view, tokens);
  if (row) {
    const shown = { row, first: prefixCount(app.a), count: rows * cols };
    const [limits] = limitsOf([shown], pin.view.scale === "shared" ? "own" : pin.view.scale, pin.view.curve);
    paintMap(map, shown, rows, cols, limits, app.a.colours[pin.view.colours]);
  }
  return element("span", { class: "pin" }, open, remove);
}

function arrow({ choice, texts }) {
  return choice.direction === "to" ? texts.towards : texts.from;
}

function gridOf({ a: { capture } }) {
  return [capture.num_layers, capture.num_heads, capture.rows, capture.cols, capture.prefix_names.length].join("×");
}

function stampOf(view) {
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
