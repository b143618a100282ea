// The view as composeSheet takes it: pictures, marks and numbers as they stand on the page.

import { saturationOf } from "../compute/blending.js";
import { coloursFor } from "../draw/colour.js";
import { FEATURE_COLOURS } from "../draw/featuremaps.js";
import { queryName, viewName } from "../draw/words.js";
import { hasQuery, isFeatured } from "../state/featureviews.js";
import { prefixCount } from "../state/sides.js";

const STOPS = 33; // colours that a sheet's colour bar is made of
const SHEET_FONT = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", "Hiragino Sans", "Noto Sans CJK JP", sans-serif';

// The view as composeSheet takes it: the picture, and where something is compared the second and the difference.
export function keepParts(app) {
  const { texts, session, choice, dom } = app, { a, b, d } = dom.figures;
  const compared = app.b ? [keepPicture(app, b, app.b), ...(app.root.classList.contains("with-difference") ? [keepPicture(app, d, app.a)] : [])] : [];
  return {
    title: [viewName(app), !isFeatured(app) && choice.direction === "to" ? texts.direction_to : "", hasQuery(app) ? queryName(app) : ""].filter(Boolean).join(" · "),
    caption: [app.sentence, session.caption].filter(Boolean),
    pictures: [keepPicture(app, a, app.a), ...compared],
    legend: a.legend && keepLegend(a.legend, isFeatured(app) ? app.a.colours[FEATURE_COLOURS[choice.view]] : coloursFor(app.a, app.options)),
    tiles: dom.tile.filter(({ button }) => !button.hidden).map((tile) => ({
      name: keepWords(tile.name),
      share: keepWords(tile.share),
      image: tile.map.toDataURL(),
      chosen: tile.button.getAttribute("aria-checked") === "true",
    })).concat(app.b ? dom.tile.filter(({ button, second }) => second.pixels && !button.hidden).map((tile) => ({
      name: `${keepWords(tile.name)} · ${app.b.title}`, share: "", image: tile.second.toDataURL(), chosen: false,
    })) : []),
    tilesTitle: [choice.rollout && choice.steps === "changes" ? texts.steps_changes : "", keepWords(dom.headsTitle)].filter(Boolean).join(": "),
    tilesNote: prefixCount(app.a) && !isFeatured(app) && !(choice.rollout && choice.steps === "changes") ? texts.bar : "",
    ...keepInks(app.root),
  };
}

// One picture with its map and marks; a second one says in its label how its colours are to be read.
function keepPicture(app, figure, { capture }) {
  const { b: other, options } = app;
  const { rows, cols, patch_size: patch, image } = capture, { query, peak } = figure.bounds ?? {};
  const range = figure.name === "a" || !figure.legend ? "" : ` · ${figure.legend.ends.join(" … ")}`;
  return {
    label: other ? keepWords(figure.title) + range : "",
    photo: figure.photo.toDataURL(),
    overlay: figure.overlay.toDataURL(),
    saturation: isFeatured(app) ? 1 : figure.name === "d" ? 0 : saturationOf(options.blend, options.opacity),
    smooth: Boolean(options.smooth),
    pixelated: Boolean(options.true_pixels),
    width: image.width,
    height: image.height,
    cover: { width: Math.min(1, (cols * patch) / image.width), height: Math.min(1, (rows * patch) / image.height) },
    rows, cols,
    gridLines: Boolean(options.grid_lines) && hasQuery(app),
    query: query ? [query] : [],
    peak: peak ? peak.slice(0, 2) : null,
    marked: figure.marked ?? [],
    markedAs: figure.markedAs,
    badge: keepWords(figure.badge),
  };
}

// What stands below the picture: real values, not positions.
function keepLegend({ ends, ticks, text }, colours) {
  return {
    low: ends[0],
    high: ends[1],
    ticks,
    colours: Array.from({ length: STOPS }, (_, i) => cssOf(colours[Math.round((255 * i) / (STOPS - 1))])),
    text,
  };
}

// A colour as it lies in memory, RGBA, in CSS.
function cssOf(colour) {
  return `rgb(${colour & 255}, ${(colour >> 8) & 255}, ${(colour >> 16) & 255})`;
}

// The theme's colours as plain numbers, which every program that reads SVG knows.
function keepInks(root) {
  const style = getComputedStyle(root), canvas = document.createElement("canvas");
  const context = Object.assign(canvas, { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const plain = (name) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = style.getPropertyValue(name).trim();
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    return `rgb(${red}, ${green}, ${blue})`;
  };
  return { ink: plain("--ink"), paper: plain("--paper"), quiet: plain("--quiet"), accent: plain("--accent"), font: SHEET_FONT };
}

function keepWords(node) {
  return (node?.textContent ?? "").trim();
}
