// The views of features: what is to be drawn for a side, in the form of content.js, a map for each layer.

import { captureOfFeatures, componentColours, cosinesWith, decodeVectors, featureLimits, meanVector, readFeatures } from "../compute/features.js";
import { tokensOfArea } from "../compute/patches.js";
import { layerOn, tokensOn } from "./counterparts.js";
import { pinnedViews } from "./pins.js";
import { queryTokens } from "./state.js";
import { prefixCount, sidesOf } from "./sides.js";

const HOVER_WORK = 2e6; // multiplications up to which the maps of the other layers follow the pointer
const POINTER_REST_MS = 100, OTHERS_MS = 3; // else they are made once it rests, so many milliseconds of a frame
const VECTOR_BYTES = 128 * 2 ** 20; // decoded vectors that are kept
const FETCHED_BYTES = 16 * 2 ** 20; // vectors of all layers up to which all are fetched, not the neighbours alone

export function isFeatured({ choice }) {
  return (choice.view ?? "attention") !== "attention";
}

// Whether the view is of the query, as similarity is, or of the picture as a whole.
export function hasQuery({ choice }) {
  return !isFeatured({ choice }) || choice.view === "similarity";
}

// Bytes that have come become a side's features, as soon as they are of its picture.
export function takeFeatures(app) {
  for (const side of sidesOf(app)) {
    const data = app.featureData?.[side.name];
    if (!data || !side.capture || data === side.featureData || captureOfFeatures(data) !== side.capture.capture) continue;
    const { header, features } = readFeatures(data, side.capture), known = side.features?.capture === features.capture;
    if (known) features.sections = new Map([...side.features.sections, ...features.sections]);
    else side.vectors = new Map();
    Object.assign(side, { features, featureData: data, sameModel: Boolean(header.same_model), featuresRequested: null });
  }
}

// Nothing of the capture before is of another one.
export function dropFeatures(side) {
  Object.assign(side, { features: null, vectors: new Map(), made: null, featureRows: new Map(), featureData: null, featuresRequested: null });
}

// The layer whose vectors to ask Python for; null where all that is wanted is here.
export function missingVectors(app, side) {
  const pinned = side === app.a && pinnedViews(app).find((view) => isFeatured({ choice: view }));
  if (pinned && !side.features && !app.session.standalone) return pinned.layer;
  if (app.choice.view !== "similarity" || !side.features || app.session.standalone) return null;
  const { num_layers: count, num_tokens: tokens } = side.capture, { dim, sections } = side.features, layer = layerOn(app, side);
  const all = count * tokens * dim <= FETCHED_BYTES || app.playing;
  const wanted = [...Array(count).keys()].sort((one, other) => Math.abs(one - layer) - Math.abs(other - layer));
  return wanted.find((one) => !sections.has(one) && (all || Math.abs(one - layer) <= 1)) ?? null;
}

// As computeContent, with an item for each layer behind the one that is chosen: { name, row } or, for components,
// { name, colours }; limits are the colours' ends, peak is the patch to mark.
export function featureContent(app, side) {
  const tokens = tokensOn(app, side), layer = layerOn(app, side), { view } = app.choice;
  if (!side.features) return { pending: { what: "features" }, items: [], tokens, layer };
  const alone = app.choice.view !== "similarity" || !isCorrespondence(app, side);
  if (!tokens.length && view === "similarity" && alone) return { nowhere: true, items: [], tokens };
  const made = itemsMade(app, side), shown = itemOf(app, side, layer, tokens, made);
  if (!shown) return { pending: { what: "fetching", layer }, items: [], tokens, layer };
  const items = [shown, ...otherLayers(app, side, layer, tokens, made)];
  return { items, shown: 0, tokens: alone ? tokens : [], layer, peak: peakFor(app, side, shown.row, alone ? tokens : []), correspondence: !alone };
}

// The maps of layers that there are of what is looked at, layer -> item; emptied when that is another.
function itemsMade(app, side) {
  const stamp = [side.capture.capture, side.features.compared, app.choice.view, app.options.smooth, queryTokens(app), tokensOn(app, side), Boolean(app.b)].join(" ");
  if (side.made?.stamp !== stamp) side.made = { stamp, items: new Map(), since: performance.now() };
  return side.made.items;
}

function itemOf(app, side, layer, tokens, made) {
  if (!made.has(layer)) {
    const item = featureItem(app, side, app.choice.view, layer, tokens);
    if (!item) return null;
    made.set(layer, item);
  }
  return made.get(layer);
}

// An item a layer: { row: null } where its turn comes later, `missing` where its vectors are not here.
function otherLayers(app, side, layer, tokens, made) {
  const { num_layers: layers, num_tokens: count } = side.capture, started = performance.now();
  const small = app.choice.view !== "similarity" || layers * count * side.features.dim <= HOVER_WORK;
  const room = small ? Infinity : started - side.made.since < POINTER_REST_MS ? 0 : OTHERS_MS;
  let later = false;
  const items = Array.from({ length: layers }, (_, other) => {
    if (made.has(other) || performance.now() - started < room) return itemOf(app, side, other, tokens, made) ?? { row: null, missing: true };
    later = true;
    return { row: null };
  });
  if (later && room) app.schedule();
  else if (later) app.restTimer ||= setTimeout(() => ((app.restTimer = 0), app.schedule()), POINTER_REST_MS);
  return items;
}

// In a comparison of pictures by one model, the second is compared with the first one's query.
export function isCorrespondence(app, side) {
  return side === app.b && Boolean(side.sameModel);
}

// A view of one layer of a side, { row } or { colours }; null where its vectors are not here.
function featureItem(app, side, view, layer, tokens, whose = "") {
  const { features } = side;
  if (view === "norms") return { row: features.norms[layer + 1] };
  side.featureRows ??= new Map();
  const place = [features.capture, features.compared, view, layer, whose].join(" ");
  if (view === "components") {
    if (!side.featureRows.has(place)) side.featureRows.set(place, componentColours(features.components[layer], features.count, features.compared && features.ends?.[layer]));
    return { colours: side.featureRows.get(place), components: features.components[layer] };
  }
  const from = isCorrespondence(app, side) ? app.a : side, vectors = vectorsOf(side, layer), theirs = vectorsOf(from, layer);
  if (!vectors || !theirs) return null;
  const query = meanVector(theirs, features.dim, from === side ? tokens : tokensOn(app, app.a));
  if (!side.featureRows.has(place)) side.featureRows.set(place, new Float32Array(side.capture.num_tokens));
  return { row: cosinesWith(vectors, features.dim, query, side.featureRows.get(place)) };
}

// A pinned view of side A by itself: its item with limits; null where something is missing.
export function featureOfView(app, view) {
  const side = app.a;
  if (!side.features) return null;
  const tokens = view.area ? tokensOfArea(side.capture, view.area) : [view.token];
  const item = featureItem(app, side, view.view, view.layer, tokens, " pin");
  return item?.row ? { row: item.row.slice(), limits: featureLimits([mapOfRow(side, item.row)]) } : item;
}

export function mapOfRow(side, row) {
  return { row, first: prefixCount(side), count: side.capture.rows * side.capture.cols };
}

function vectorsOf(side, layer) {
  const { features, vectors } = side, known = vectors.get(layer), section = features?.sections.get(layer);
  if (known || !section) return known ?? null;
  const decoded = decodeVectors(section, side.capture.num_tokens, features.dim);
  while (vectors.size && (vectors.size + 1) * decoded.byteLength > VECTOR_BYTES) vectors.delete(vectors.keys().next().value);
  vectors.set(layer, decoded);
  return decoded;
}

// The greatest patch that is not of the query.
function peakFor(app, side, row, tokens) {
  if (!row) return null;
  const first = prefixCount(side), own = new Set(tokens);
  let best = null;
  for (let token = first; token < row.length; token++) if (!own.has(token) && (best === null || row[token] > row[best])) best = token;
  return best;
}

// Which patches are artefact tokens of the layer.
export function artefactsOf(side, layer) {
  const threshold = side.features.thresholds[layer], norms = side.features.norms[layer + 1], found = [];
  if (threshold === null) return found;
  for (let token = prefixCount(side); token < norms.length; token++) if (norms[token] > threshold) found.push(token);
  return found;
}
