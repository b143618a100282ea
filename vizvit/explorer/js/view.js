// The elements of the explorer, made once; drawing.js fills them.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function shape(tag, className) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  node.setAttribute("class", className);
  return node;
}

export function buildView(root) {
  const dom = { root };
  dom.photo = element("canvas", { class: "photo" });
  dom.overlay = element("canvas", { class: "overlay" });
  dom.grid = shape("path", "grid");
  dom.marks = Object.fromEntries(
    ["peak", "inspect", "query"].map((name) => [name, [shape("rect", `halo ${name}`), shape("rect", name)]]),
  );
  const svg = shape("svg", "marks");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.append(dom.grid, ...Object.values(dom.marks).flat());
  dom.svg = svg;
  dom.cover = element("div", { class: "cover" }, dom.overlay, svg);
  dom.badge = element("span", { class: "badge" });
  dom.picture = element("div", { class: "picture", tabindex: 0, role: "application" }, dom.photo, dom.cover, dom.badge);

  dom.scale = element("canvas", { class: "scale", "aria-hidden": "true" });
  dom.scaleEnd = element("span", { class: "number" });
  dom.scaleText = element("span", { class: "scale-text" });
  const legend = element("div", { class: "legend" }, element("span", { class: "number" }, "0"), dom.scale,
    dom.scaleEnd, dom.scaleText);

  dom.opacity = element("input", { type: "range", min: 0, max: 1, step: 0.01 });
  dom.gridLines = element("input", { type: "checkbox" });
  dom.truePixels = element("input", { type: "checkbox" });
  dom.shared = element("input", { type: "checkbox" });
  dom.labels = {};
  const labelled = (name, input) => element("label", {}, input, (dom.labels[name] = element("span")));
  const options = element("div", { class: "options" }, labelled("overlay", dom.opacity),
    labelled("grid_lines", dom.gridLines), labelled("true_pixels", dom.truePixels));

  dom.chips = element("span", { class: "chip-list", role: "group" });
  dom.queryHint = element("span", { class: "hint" });
  const chips = element("div", { class: "chips" }, (dom.labels.query = element("span", { class: "label" })), dom.chips,
    dom.queryHint);

  dom.reading = {};
  const reading = element("dl", { class: "reading" });
  for (const name of ["from", "peak", "entropy", "prefix", "under"]) {
    dom.reading[name] = element("dd");
    dom.reading[name].box = element("div", { class: `read-${name}` }, (dom.labels[name] = element("dt")), dom.reading[name]);
    reading.append(dom.reading[name].box);
  }
  dom.hero = element("div", { class: "hero" }, dom.picture, legend, options, chips, reading);

  dom.layer = element("output", { class: "layer-number" });
  dom.layerRange = element("span", { class: "hint" });
  dom.fetching = element("span", { class: "fetching-text", role: "status" });
  dom.previous = element("button", { type: "button", class: "step" }, "‹");
  dom.next = element("button", { type: "button", class: "step" }, "›");
  dom.slider = element("input", { type: "range", min: 0, step: 1, class: "layers" });
  const layerControl = element("div", { class: "layer-control" },
    element("div", { class: "layer-name" }, (dom.labels.layer = element("span", { class: "label" })), dom.layer,
      dom.layerRange, dom.fetching),
    element("div", { class: "stepper" }, dom.previous, element("span", { class: "gauge" }, dom.slider), dom.next));
  dom.headsTitle = element("span");
  dom.tiles = element("div", { class: "tiles", role: "radiogroup" });
  const headsLine = element("div", { class: "heads-line" },
    element("span", { class: "label" }, dom.headsTitle, element("span", { class: "bar-key" }),
      (dom.labels.bar = element("span", { class: "bar-text" }))), labelled("shared", dom.shared));
  dom.side = element("div", { class: "side" }, layerControl, headsLine, dom.tiles);

  dom.atlasButton = element("button", { type: "button", class: "fold", "aria-expanded": "false" });
  dom.atlasHint = element("span", { class: "hint" });
  dom.atlas = element("canvas", { class: "atlas-maps", role: "img" });
  dom.atlasMark = element("span", { class: "atlas-mark" });
  dom.atlasLayers = element("div", { class: "atlas-layers", "aria-hidden": "true" });
  dom.atlasHeads = element("div", { class: "atlas-heads", "aria-hidden": "true" });
  dom.atlasBody = element("div", { class: "atlas-body" }, dom.atlasLayers, dom.atlasHeads,
    element("div", { class: "atlas-frame" }, dom.atlas, dom.atlasMark));
  const atlas = element("section", { class: "atlas" }, element("div", {}, dom.atlasButton, dom.atlasHint), dom.atlasBody);

  dom.caption = element("p", { class: "caption" });
  dom.live = element("p", { class: "live", "aria-live": "polite" });
  dom.failure = element("p", { class: "failure", role: "alert" });
  root.replaceChildren(element("div", { class: "panel" }, dom.hero, dom.side), atlas, dom.caption, dom.live, dom.failure);
  return dom;
}

// One tile for the mean of heads and one for each head.
export function buildTiles(dom, heads) {
  dom.tile = [null, ...Array(heads).keys()].map((head) => {
    const map = element("canvas");
    const name = element("span", { class: "name" }), share = element("span", { class: "share" });
    const bar = element("span", { class: "bar" });
    const button = element("button", { type: "button", class: "tile", role: "radio" },
      element("span", { class: "map" }, map), bar, element("span", { class: "foot" }, name, share));
    return { head, button, map, name, share, bar };
  });
  dom.tiles.replaceChildren(...dom.tile.map((tile) => tile.button));
}

export function buildChips(dom, names) {
  dom.chip = names.map((name) => element("button", { type: "button", class: "chip", "aria-pressed": "false" }, name));
  dom.chips.replaceChildren(...dom.chip);
}
