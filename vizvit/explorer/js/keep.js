// Keeping the view: as a picture, as a program, as a link, and as files that Python makes.

import { pythonCode } from "./code.js";
import { headOn, layerOn, tokensOn } from "./content.js";
import { copyText, downloadBlob, rasterise } from "./download.js";
import { pinnedViews } from "./pins.js";
import { queryName, viewName } from "./reading.js";
import { report } from "./settle.js";
import { composeSheet } from "./sheet.js";
import { prefixCount } from "./state.js";
import { percent } from "./words.js";

const STOPS = 33; // colours that a sheet's colour bar is made of
const SHEET_FONT = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", "Hiragino Sans", "Noto Sans CJK JP", sans-serif';
const ADDRESS_MS = 4000; // the longest to wait for the address to say what is shown
const MAKING_MS = 60_000; // after that something has gone wrong

// The view as composeSheet takes it: the picture, and where something is compared the second and the difference.
export function keepParts(app) {
  const { texts, session, choice, dom } = app, { a, b, d } = dom.figures;
  const compared = app.b ? [keepPicture(app, b, app.b), ...(app.root.classList.contains("with-difference") ? [keepPicture(app, d, app.a)] : [])] : [];
  return {
    title: [viewName(app), choice.direction === "to" ? texts.direction_to : "", queryName(app)].filter(Boolean).join(" · "),
    caption: [app.sentence, session.caption].filter(Boolean),
    pictures: [keepPicture(app, a, app.a), ...compared],
    legend: keepLegend(a.legend, app.a.colours[app.options.colours]),
    tiles: dom.tile.map((tile) => ({
      name: keepWords(tile.name),
      share: keepWords(tile.share),
      image: tile.map.toDataURL(),
      chosen: tile.button.getAttribute("aria-checked") === "true",
    })).concat(app.b ? dom.tile.filter(({ second }) => second.pixels).map((tile) => ({
      name: `${keepWords(tile.name)} · ${app.b.title}`, share: "", image: tile.second.toDataURL(), chosen: false,
    })) : []),
    tilesTitle: keepWords(dom.headsTitle),
    tilesNote: prefixCount(app.a) ? texts.bar : "",
    ...keepInks(app.root),
  };
}

// One picture with its map and marks; a second one says in its label how its colours are to be read.
function keepPicture({ b: other, options }, figure, { capture }) {
  const { rows, cols, patch_size: patch, image } = capture, { low, high } = figure.legend ?? {}, { query, peak } = figure.bounds ?? {};
  const range = figure.name === "a" || low === undefined ? "" : ` · ${percent(low)} … ${percent(high)}`;
  return {
    label: other ? keepWords(figure.title) + range : "",
    photo: figure.photo.toDataURL(),
    overlay: figure.overlay.toDataURL(),
    opacity: figure.name === "d" ? Math.max(0.8, options.opacity) : options.opacity,
    smooth: Boolean(options.smooth),
    pixelated: Boolean(options.true_pixels),
    width: image.width,
    height: image.height,
    cover: { width: Math.min(1, (cols * patch) / image.width), height: Math.min(1, (rows * patch) / image.height) },
    rows, cols,
    gridLines: Boolean(options.grid_lines),
    query: query ? [query] : [],
    peak: peak ? peak.slice(0, 2) : null,
    badge: keepWords(figure.badge),
  };
}

// What stands below the picture: real values, not positions.
function keepLegend({ low, high, ticks, text }, colours) {
  return {
    low: percent(low),
    high: percent(high),
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

// vizvit-cat-layer4-head1: what a file of this view is called.
export function keepName({ session, choice }) {
  const name = String(session.name || "view").replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "") || "view";
  const what = choice.rollout ? "rollout" : `layer${choice.layer}${choice.head === null ? "" : `-head${choice.head}`}`;
  return `vizvit-${name}-${what}`;
}

export function saveSvg(app) {
  const { svg } = composeSheet(keepParts(app));
  downloadBlob(new Blob([svg], { type: "image/svg+xml" }), `${keepName(app)}.svg`);
}

export async function savePng(app) {
  const { svg, width, height } = composeSheet(keepParts(app));
  downloadBlob(await rasterise(svg, width, height, 2), `${keepName(app)}.png`);
}

export async function copyPython(app) {
  const code = pythonCode(app.session, app.a.capture, app.choice, { ...app.options, file: keepName(app) }, keepOther(app));
  notice(app, (await copyText(code)) ? app.texts.copied_python : app.texts.not_copied);
}

// The second capture's own layer, head and query, which are linked to the first's.
function keepOther(app) {
  if (!app.b) return null;
  const { choice, b } = app, [token] = tokensOn(app, b);
  if (token === undefined) return null;
  const difference = comparable(app.a.capture, b.capture, b.linked);
  return { capture: b.capture, flipped: b.linked.kind === "flip", difference, choice: { ...choice, layer: layerOn(app, b), head: headOn(app, b), token, area: keepArea(app) } };
}

function keepArea(app) {
  const bounds = app.choice.area && app.dom.figures.b.bounds?.query;
  return bounds ? [bounds[0], bounds[1], bounds[0] + bounds[2] - 1, bounds[1] + bounds[3] - 1] : null;
}

// The address follows a settled choice after a moment.
export async function copyLink(app) {
  report(app);
  const until = performance.now() + ADDRESS_MS;
  while (!addressIsCurrent(app) && performance.now() < until) await new Promise((done) => setTimeout(done, 100));
  const copied = app.session.private ? app.texts.copied_link_private : app.texts.copied_link;
  notice(app, (await copyText(location.href)) ? copied : app.texts.not_copied);
}

function addressIsCurrent({ choice, options, a: { capture } }) {
  const params = new URLSearchParams(location.search), { area, token } = choice, place = placeOf(capture, token);
  const query = area ? `${area[0]},${area[1]}-${area[2]},${area[3]}` : place ? place.join() : capture.prefix_names[token];
  const says = (name, value, silent) => (params.get(name) ?? silent) === String(value);
  return says("query", query) && says("layer", choice.layer) && says("head", choice.head ?? "", "") && says("direction", choice.direction, "from")
    && says("rollout", Number(choice.rollout), "0") && says("scale", options.scale, "own") && says("key", choice.key ?? "", "");
}

// what: "npz", "handout" or "html". The answer comes as `receiveAnswer`. other: the linked view of a second capture.
export function askFile(app, what) {
  app.wanted = ++app.asked;
  notice(app, app.texts.making, true);
  app.noticeTimer = setTimeout(() => notice(app, app.texts.not_made), MAKING_MS);
  app.send("ask", { number: app.asked, what, view: app.settledView(), pins: pinnedViews(app), other: keepOther(app)?.choice ?? null });
}

// header: { number, what, file, type } with the file's bytes, or { number, what, error }. An answer to an earlier ask, or
// one that was taken already, changes nothing.
export function receiveAnswer(app, header, bytes) {
  if (header.number !== app.wanted) return;
  app.wanted = null;
  notice(app, header.error ?? "");
  if (!header.error) downloadBlob(new Blob([bytes], { type: header.type ?? "application/octet-stream" }), header.file);
}
