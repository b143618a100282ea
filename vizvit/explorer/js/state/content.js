// What is to be drawn for a side: a row over its tokens for each head and for their fusion, or for each step of the rollout.

import { fuseHeads, peakOf, readerOf } from "../compute/attention.js";
import { average, averaging } from "../compute/averaging.js";
import { flowChanges, flowColumn, flowRow, flowSteps } from "../compute/chain.js";
import { signedLimits } from "../compute/scaling.js";
import { standingOut } from "../compute/standing.js";
import { headOn, layerOn, tokensOn } from "./counterparts.js";
import { layerOf, prefixCount } from "./sides.js";

const SLICE = 9; // ms of a frame for the mean over a rectangle; the rest follows in the next frames
const STEPS_WORK = 2e7; // multiplications up to which a hover also draws every step of the chain

// { items: [{ name, row }], shown, tokens, layer } with the fusion first; of a rollout also `outstanding`, the patches that
// stand out in the end, and each item's `change` with `changeLimits`, where that is to be seen; or { pending: { what, done,
// of } } and, where the query has no counterpart, { nowhere: true }.
export function computeContent(app, side) {
  const tokens = tokensOn(app, side), { choice } = app;
  if (!tokens.length) return { nowhere: true, items: [], tokens };
  if (choice.rollout) return rolloutContent(app, side, tokens);
  const layer = layerOn(app, side), rows = headRows(app, side, layer, tokens, choice.direction);
  if (!rows.values) return { pending: rows.pending, items: [], tokens, layer };
  const { num_tokens: count, num_heads: heads } = side.capture;
  if (side.fused?.length !== count) side.fused = new Float32Array(count);
  fuseHeads(rows.values, count, choice.fuse, side.fused);
  const items = [{ name: null, row: side.fused }];
  for (let head = 0; head < heads; head++) items.push({ name: head, row: rows.values.subarray(head * count, (head + 1) * count) });
  const head = headOn(app, side);
  return { items, shown: head === null ? 0 : head + 1, tokens, layer };
}

// [head, token] for a query, or the mean over the patches of a rectangle; { pending } while something is missing.
function headRows(app, side, index, tokens, direction) {
  const layer = layerOf(side, index);
  if (!layer) return { pending: { what: "fetching", layer: index } };
  const lse = direction === "to" ? app.surveyOf(side, index)?.lse : null;
  if (lse === undefined) return { pending: { what: "computing" } };
  const size = layer.heads * layer.tokens;
  if (side.rows?.length !== size) Object.assign(side, { rows: new Float32Array(size), scratch: new Float32Array(size) });
  const compute = readerOf(layer, lse);
  if (tokens.length === 1) return { values: compute(tokens[0], side.rows) };
  const stamp = [side.capture.capture, index, direction, tokens].join();
  if (side.task?.stamp !== stamp) side.task = { ...averaging(size, tokens), stamp };
  if (average(side.task, compute, side.scratch, SLICE)) return { values: side.task.sum };
  app.schedule();
  return { pending: { what: "averaging", done: side.task.next, of: tokens.length } };
}

// One view of side A by itself, [token], outside the drawing: for thumbnails. `memory` is kept between calls; null while
// something is missing or on its way, which is asked for.
export function rowOfView(app, view, tokens, memory, milliseconds) {
  const side = app.a, { num_tokens: count } = side.capture;
  if (view.rollout) {
    if (side.chainOf !== view.fuse || side.chain.size < side.capture.num_layers) return null;
    return rolloutRow(side, tokens, view.direction);
  }
  const layer = layerOf(side, view.layer), lse = view.direction === "to" ? app.surveyOf(side, view.layer)?.lse : null;
  if (!layer || lse === undefined) return null;
  const compute = readerOf(layer, lse);
  memory.task ??= averaging(layer.heads * count, tokens);
  if (!average(memory.task, compute, new Float32Array(layer.heads * count), milliseconds)) return null;
  const { sum } = memory.task;
  return view.head === null ? fuseHeads(sum, count, view.fuse) : sum.slice(view.head * count, (view.head + 1) * count);
}

function rolloutContent(app, side, tokens) {
  const layers = side.capture.num_layers, { fuse, direction } = app.choice;
  if (side.chainOf !== fuse) {
    app.surveyor.cancel(side.place); // of another fusion
    Object.assign(side, { chain: new Map(), chainOf: fuse });
  }
  for (let layer = 0; layer < layers; layer++) if (!side.chain.has(layer)) app.askFused(side, layer, fuse);
  if (side.chain.size < layers) return { pending: { what: "rollout", done: side.chain.size, of: layers }, items: [], tokens };
  const matrices = chainOf(side), count = side.capture.num_tokens;
  const hovering = app.hover !== null || app.drag !== null;
  const steps = direction === "to" || !hovering || layers * layers * count * count < 2 * STEPS_WORK
    ? flowSteps(matrices, queryVector(side, tokens), direction) : null;
  const items = [{ name: null, row: steps ? steps[layers - 1] : rolloutRow(side, tokens, direction) }];
  const changes = steps && app.choice.steps === "changes" ? flowChanges(steps) : null;
  for (let layer = 0; layer < layers; layer++) items.push({ name: layer, row: steps?.[layer] ?? null, change: changes?.[layer] });
  const { row, first, count: patches } = mapOf(side, items[0]), outstanding = standingOut(row, first, patches);
  const changeLimits = changes && widestOf(changes.slice(1).map((change) => signedLimits(change, first, patches)));
  return { items, shown: 0, tokens, outstanding, changeLimits };
}

function widestOf(limits) {
  return limits.reduce((one, other) => (other.high > one.high ? other : one), limits[0]);
}

function rolloutRow(side, tokens, direction) {
  const vector = queryVector(side, tokens), matrices = chainOf(side);
  return direction === "from" ? flowRow(matrices, vector) : flowColumn(matrices, vector);
}

function chainOf(side) {
  return Array.from({ length: side.capture.num_layers }, (_, layer) => side.chain.get(layer));
}

function queryVector(side, tokens) {
  const vector = new Float64Array(side.capture.num_tokens);
  for (const token of tokens) vector[token] = 1 / tokens.length;
  return vector;
}

// The patches' part of an item, as the scaling and the painting take it.
export function mapOf(side, item) {
  return { row: item.row, first: prefixCount(side), count: side.capture.rows * side.capture.cols };
}

export function shownRow(side) {
  return side.content.items[side.content.shown].row;
}

export function peakPatch(side, row) {
  return peakOf(row, prefixCount(side));
}
