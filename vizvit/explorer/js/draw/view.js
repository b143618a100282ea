// The elements of the explorer, made once; the other modules here fill them.

import { element, shape } from "./elements.js";
import { MARKS, ringOf, SMALL, strokesOf } from "./marking.js";

// One picture with its overlay, marks and colour bar: "a", "b", or "d" for the difference of the two.
function buildFigure(name) {
  const photo = element("canvas", { class: "photo" }), overlay = element("canvas", { class: "overlay" });
  const grid = shape("path", "grid"), svg = shape("svg", "marks");
  const marks = Object.fromEntries(
    ["peak", "inspect", "query"].map((mark) => [mark, strokesOf(MARKS[mark]).map((stroke) => shape("rect", mark, stroke))]),
  );
  svg.setAttribute("preserveAspectRatio", "none");
  svg.append(grid, ...Object.values(marks).flat());
  const cover = element("div", { class: "cover" }, overlay, svg);
  const badge = element("span", { class: "badge" }), note = element("span", { class: "pending", role: "status" });
  const picture = element("div", { class: "picture", tabindex: name === "a" ? 0 : -1, role: "application" }, photo, cover, badge, note);
  const title = element("div", { class: "figure-title" });
  const bar = element("canvas", { class: "scale", "aria-hidden": "true" }), ticks = element("span", { class: "ticks" });
  const text = element("span", { class: "scale-text" });
  const legend = element("div", { class: "legend" }, element("span", { class: "bar-box" }, bar, ticks), text);
  const line = element("div", { class: "figure-line" });
  const box = element("figure", { class: `figure figure-${name}` }, title, picture, legend, line);
  return { name, box, title, picture, legendBox: legend, photo, cover, overlay, svg, grid, marks, badge, note, bar, ticks, text, line };
}

export function buildView(root) {
  const dom = { root, labels: {} };
  for (const [mark, look] of Object.entries(SMALL)) root.style.setProperty(`--${mark}-ring`, ringOf(look));
  const label = (name, tag = "span", className = "label") => (dom.labels[name] = element(tag, { class: className }));
  dom.figures = Object.fromEntries(["a", "b", "d"].map((name) => [name, buildFigure(name)]));
  dom.pictures = element("div", { class: "pictures" }, dom.figures.a.box); // the others where something is compared
  dom.stage = element("div", { class: "stage" }, dom.pictures); // what is chosen above the pictures goes in before them

  dom.chips = element("span", { class: "chip-list", role: "group" });
  dom.queryHint = element("span", { class: "hint query-hint" });
  dom.direction = buildChoice("direction", ["from", "to"]);
  dom.tool = buildChoice("tool", ["look", "area", "read"]);
  dom.queryLine = element("div", { class: "query-line" },
    element("span", { class: "group" }, element("span", { class: "group prefix-tokens" }, label("query"), dom.chips), dom.direction.box),
    element("span", { class: "group" }, label("pointer"), dom.tool.box), dom.queryHint);

  dom.selects = {};
  const select = (name) => element("label", {}, label(name), (dom.selects[name] = element("select", { class: `select-${name}` })));
  const tick = (name) => element("label", {}, (dom[name] = element("input", { type: "checkbox" })), label(name));
  dom.opacity = element("input", { type: "range", min: 0, max: 1, step: 0.01 });
  dom.display = element("div", { class: "display" }, select("scale"), select("curve"), select("smooth"), select("colours"), select("blend"),
    element("label", { class: "overlay-opacity" }, label("opacity"), dom.opacity), tick("grid_lines"), tick("true_pixels"));

  dom.reading = {};
  const reading = (dom.numbersRead = element("dl", { class: "reading" }));
  for (const name of ["from", "peak", "entropy", "prefix", "under"]) {
    dom.reading[name] = element("dd");
    dom.reading[name].box = element("div", { class: `read-${name}` }, label(name, "dt"), dom.reading[name]);
    reading.append(dom.reading[name].box);
  }
  dom.whyBody = element("div", { class: "why-body" });
  dom.controls = element("div", { class: "controls" });
  dom.why = buildFold(dom, "why", dom.whyBody);

  dom.layer = element("output", { class: "layer-number" });
  dom.layerRange = element("span", { class: "hint" });
  dom.fetching = element("span", { class: "fetching-text", role: "status" });
  dom.pin = element("button", { type: "button", class: "tool" });
  dom.keep = element("button", { type: "button", class: "tool", "aria-haspopup": "menu", "aria-expanded": "false" });
  dom.keys = element("button", { type: "button", class: "tool" }, "?");
  dom.keepMenu = element("div", { class: "menu", role: "menu" });
  dom.keepMenu.hidden = true;
  dom.play = element("button", { type: "button", class: "step play", "aria-pressed": "false" });
  dom.speed = element("select", { class: "speed" });
  dom.previous = element("button", { type: "button", class: "step" }, "‹");
  dom.next = element("button", { type: "button", class: "step" }, "›");
  dom.slider = element("input", { type: "range", min: 0, step: 1, class: "layers" });
  dom.rollout = element("button", { type: "button", class: "rollout", "aria-pressed": "false" });
  dom.layerControl = element("div", { class: "layer-control" },
    element("div", { class: "layer-name" }, label("layer"), dom.layer, dom.layerRange, dom.fetching,
      element("span", { class: "toolbar" }, dom.pin, element("span", { class: "menu-box" }, dom.keep, dom.keepMenu), dom.keys)),
    element("div", { class: "stepper" }, dom.play, dom.speed, dom.previous, element("span", { class: "gauge" }, dom.slider),
      dom.next, dom.rollout));
  dom.headsTitle = element("span");
  dom.tiles = element("div", { class: "tiles", role: "radiogroup" });
  dom.fuse = buildChoice("fuse", ["mean", "max", "min"]);
  dom.steps = buildChoice("steps", ["chain", "changes"]);
  dom.headsLine = element("div", { class: "heads-line" },
    element("span", { class: "label" }, dom.headsTitle, element("span", { class: "bar-key" }), label("bar", "span", "bar-text")),
    dom.steps.box,
    element("span", { class: "group" }, label("fuse"), dom.fuse.box));
  dom.side = element("div", { class: "side" });

  dom.pinned = element("div", { class: "pinned", role: "group" });
  dom.pinsLine = element("section", { class: "pins" }, label("pins", "div"), dom.pinned);
  dom.atlasHint = element("div", { class: "hint" });
  dom.atlas = element("canvas", { class: "atlas-maps", role: "application", tabindex: 0 });
  dom.atlasMark = element("span", { class: "atlas-mark" });
  dom.atlasLayers = element("div", { class: "atlas-layers", "aria-hidden": "true" });
  dom.atlasHeads = element("div", { class: "atlas-heads", "aria-hidden": "true" });
  const atlas = element("div", { class: "atlas-body" }, dom.atlasHint, dom.atlasLayers, dom.atlasHeads,
    element("div", { class: "atlas-frame" }, dom.atlas, dom.atlasMark));
  dom.numbers = element("div", { class: "numbers-body" });

  dom.caption = element("p", { class: "caption" });
  dom.notice = element("p", { class: "notice", role: "status" });
  dom.live = element("p", { class: "live", "aria-live": "polite" });
  dom.failure = element("p", { class: "failure", role: "alert" });
  dom.help = element("dialog", { class: "help" });
  dom.panel = element("div", { class: "panel" });
  placeParts(dom, false);
  root.replaceChildren(dom.panel, buildFold(dom, "atlas", atlas), buildFold(dom, "numbers", dom.numbers),
    dom.caption, dom.notice, dom.live, dom.failure, dom.help);
  return dom;
}

// Beside each other, or on a narrow screen below each other with the heads after the picture and settings last: in the
// document's order too, so that the Tab key goes as the eye does.
export function placeParts(dom, narrow) {
  const { panel, stage, controls, side, queryLine, queryHint, numbersRead, display, why, pinsLine, layerControl, headsLine, tiles } = dom;
  if (narrow) return panel.replaceChildren(stage, queryHint, layerControl, headsLine, tiles, queryLine, pinsLine, numbersRead, why, display);
  queryLine.append(queryHint);
  controls.replaceChildren(queryLine, display);
  side.replaceChildren(layerControl, headsLine, tiles, numbersRead, pinsLine, why);
  panel.replaceChildren(stage, controls, side);
}

// A few buttons of which one is chosen; drawing sets aria-checked.
function buildChoice(name, values) {
  const buttons = values.map((value) => element("button", { type: "button", role: "radio", "data-value": value }));
  return { buttons, box: element("span", { class: `choice choice-${name}`, role: "radiogroup" }, ...buttons) };
}

function buildFold(dom, name, body) {
  const button = element("button", { type: "button", class: "fold", "aria-expanded": "false", "data-fold": name });
  (dom.foldButtons ??= {})[name] = button;
  (dom.foldBodies ??= {})[name] = body;
  return element("section", { class: `fold-${name}` }, button, body);
}

// One tile for the fusion and one for each head, or, for the rollout, for each step of the chain.
export function buildTiles(dom, count) {
  dom.tile = [null, ...Array(count).keys()].map((head) => {
    const map = element("canvas"), second = element("canvas");
    const name = element("span", { class: "name" }), share = element("span", { class: "share" });
    const bar = element("span", { class: "bar" });
    const button = element("button", { type: "button", class: "tile", role: "radio" },
      element("span", { class: "maps" }, element("span", { class: "map" }, map), element("span", { class: "map second" }, second)),
      bar, element("span", { class: "foot" }, name, share));
    return { head, button, map, second, name, share, bar };
  });
  dom.tiles.replaceChildren(...dom.tile.map((tile) => tile.button));
}

export function buildChips(dom, names) {
  dom.chip = names.map((name) => element("button", { type: "button", class: "chip", "aria-pressed": "false" }, name));
  dom.chips.replaceChildren(...dom.chip);
}
