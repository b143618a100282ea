// Keeping the view: as a picture, as a program, as a link, and as files that Python makes.

import { pythonCode } from "./code.js";
import { copyText, downloadBlob, rasterise } from "./download.js";
import { composeSheet } from "./sheet.js";
import { prefixCount, queryOf } from "./state.js";
import { headName, percent } from "./words.js";

const STOPS = 33; // colours that a sheet's colour bar is made of

// The view as composeSheet takes it. `others`: more pictures of the same form as keepPicture's, for a comparison.
export function keepParts(app, others = []) {
  const { texts, session, choice } = app;
  return {
    title: keepTitle(app),
    caption: [app.sentence, session.caption].filter(Boolean),
    pictures: [keepPicture(app), ...others],
    legend: keepLegend(app),
    tiles: (app.dom.tile ?? []).map((tile) => ({
      name: keepWords(tile.name),
      share: keepWords(tile.share),
      image: tile.map.toDataURL(),
      chosen: tile.head === choice.head,
    })),
    tilesTitle: keepWords(app.dom.headsTitle),
    tilesNote: prefixCount(app) ? texts.bar : "",
    ...keepInks(app.root),
  };
}

// One picture with its map and marks. dom, capture: of this picture; a second one has its own.
export function keepPicture(app, { dom = app.dom, capture = app.capture, label = "", query = keepQuery(app) } = {}) {
  const { rows, cols, patch_size: patch, image } = capture, { options } = app;
  return {
    label,
    photo: dom.photo.toDataURL(),
    overlay: dom.overlay ? dom.overlay.toDataURL() : null,
    opacity: options.opacity,
    smooth: Boolean(options.smooth),
    pixelated: Boolean(options.truePixels),
    width: image.width,
    height: image.height,
    cover: { width: Math.min(1, (cols * patch) / image.width), height: Math.min(1, (rows * patch) / image.height) },
    rows, cols,
    gridLines: Boolean(options.gridLines),
    query,
    peak: keepPeak(dom),
    badge: keepWords(dom.badge),
  };
}

// [[row, col, rows, cols]] of the outlined query; none for a prefix token.
function keepQuery(app) {
  const { cols } = app.capture, area = (app.hover ?? null) === null ? app.choice.area : null;
  if (area) return [[area[0], area[1], area[2] - area[0] + 1, area[3] - area[1] + 1]];
  const patch = queryOf(app) - prefixCount(app);
  return patch < 0 ? [] : [[Math.floor(patch / cols), patch % cols, 1, 1]];
}

// Where the dashed mark stands, as it is drawn.
function keepPeak(dom) {
  const mark = dom.marks?.peak?.at?.(-1);
  if (!mark || mark.style.display === "none" || !mark.hasAttribute("x")) return null;
  return [Number(mark.getAttribute("y")), Number(mark.getAttribute("x"))];
}

function keepTitle({ texts, choice, dom }) {
  const view = choice.rollout ? [texts.kept_rollout] : [`${texts.layer} ${choice.layer}`, headName(texts, choice.head)];
  return [...view, keepWords(dom.reading?.from?.firstChild)].filter(Boolean).join(" · ");
}

// What stands below the picture: real values, not positions.
function keepLegend({ legend = {}, colours, dom }) {
  const number = (value) => (typeof value === "number" ? (value ? percent(value) : "0") : value ?? "");
  return {
    low: number(legend.low ?? 0),
    high: legend.high === undefined ? keepWords(dom.scaleEnd) : number(legend.high),
    ticks: (legend.ticks ?? []).map(({ at, text, value }) => ({ at, text: text ?? number(value) })),
    colours: Array.from({ length: STOPS }, (_, i) => cssOf(colours[Math.round((255 * i) / (STOPS - 1))])),
    text: legend.text ?? keepWords(dom.scaleText),
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
  return { ink: plain("--ink"), paper: plain("--paper"), quiet: plain("--quiet"), accent: plain("--accent"), font: style.fontFamily };
}

function keepWords(node) {
  return (node?.textContent ?? "").trim();
}

// vizvit-cat-layer4-head1: what a file of this view is called.
export function keepName({ session, choice }) {
  const name = String(session.name ?? "view").replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "") || "view";
  const what = choice.rollout ? "rollout" : `layer${choice.layer}${choice.head === null ? "" : `-head${choice.head}`}`;
  return `vizvit-${name}-${what}`;
}

export function saveSvg(app, others) {
  const { svg } = composeSheet(keepParts(app, others));
  downloadBlob(new Blob([svg], { type: "image/svg+xml" }), `${keepName(app)}.svg`);
}

export async function savePng(app, others) {
  const { svg, width, height } = composeSheet(keepParts(app, others));
  downloadBlob(await rasterise(svg, width, height, 2), `${keepName(app)}.png`);
}

// These two say whether the text is on the clipboard.
export function copyPython(app) {
  const options = { ...app.options, file: keepName(app) };
  return copyText(pythonCode(app.session, app.capture, app.choice, options));
}

export function copyLink() {
  return copyText(location.href);
}

// what: "npz", "handout" or "html". The answer comes as `receiveAnswer`.
export function askFile(app, what) {
  app.asked = (app.asked ?? 0) + 1;
  keepNotice(app, "");
  app.send("ask", { number: app.asked, what, view: app.settledView(), pins: app.pins ?? [] });
}

// header: { number, what, file, type } with the file's bytes, or { number, what, error }. An answer to an earlier ask, or
// one that was taken already, changes nothing; true for one that was taken now.
export function receiveAnswer(app, header, bytes) {
  if (header.number !== app.asked || header.number === app.answered) return false;
  app.answered = header.number;
  keepNotice(app, header.error ?? "");
  if (!header.error) downloadBlob(new Blob([bytes], { type: header.type ?? "application/octet-stream" }), header.file);
  return true;
}

function keepNotice(app, text) {
  if (app.dom.notice) app.dom.notice.textContent = text;
}
