// Stages 1 to 5 as they are drawn: the picture cut, flattened, embedded, with prefix tokens and positions.
//
// A drawing takes `now`: where one is, the numbers of the stage, and the ways to put parts on the page: see walk.js.

import { fixedText } from "../js/draw/numbers.js";
import { fill } from "../js/draw/words.js";
import { gallery, overPicture, colourBar, tile } from "./overlays.js";
import { matrixImage, shadesOf } from "./raster.js";
import { badge, escaped, facts, firstNumbers, heading, mostOf, note, number, quantile, sideBySide, strip } from "./written.js";

const WRITTEN = 8; // a patch of up to so many pixels a side has its numbers written
const SEQUENCE = 96; // as many patches are drawn

export function drawPatches(now) {
  const { t, numbers: n } = now;
  now.show("cut",
    facts([t.patches_picture, `${n.height} × ${n.width} × ${n.channels}`], [t.patches_patch, `${n.patch} × ${n.patch} × ${n.channels}`],
      [t.patches_count, `${n.height} · ${n.width} / ${n.patch}² = ${n.patches}`]),
    heading(t.patches_sequence), sequence(now, []), note(fill(t.patches_note, n)));
}

// The patches one after another, as the model reads them; of many the first and those around the followed one.
function sequence({ numbers, grid, photo, place }, before) {
  const { rows, cols } = grid, chosen = place.row * cols + place.col, total = numbers.patches, half = SEQUENCE / 2;
  const start = Math.max(0, Math.min(chosen - half / 2, total - half)), near = Math.min(total, Math.max(chosen - half / 2, 0) + half);
  const shown = Array.from({ length: total }, (_, i) => i).filter((i) => total <= SEQUENCE || i < half || (i >= start && i < near));
  const cells = shown.map((index, at) => {
    const [x, y] = [[index % cols, cols], [Math.floor(index / cols), rows]].map(([place, count]) => ((100 * place) / Math.max(count - 1, 1)).toFixed(2));
    return `${index !== (at ? shown[at - 1] : -1) + 1 ? "<span>…</span>" : ""}<i class="${index === chosen ? "chosen" : ""}" style="background-position:${x}% ${y}%" title="${index + 1}"></i>`;
  });
  const more = shown.at(-1) < total - 1 ? `<span>… ${total}</span>` : "";
  const style = `--photo:url(${photo});--cols:${cols};--rows:${rows}`;
  return `<div class="vw-sequence" data-draw="sequence" style="${style}">${before.map((name) => `<b>${name}</b>`).join("")}${cells.join("")}${more}</div>`;
}

export function drawFlatten(now) {
  const { t, numbers: n, made, place, model } = now, size = n.patch, count = size * size, limit = mostOf(made.values);
  const names = [t.red, t.green, t.blue], parts = names.map((_, i) => made.values.subarray(i * count, (i + 1) * count));
  const constants = names.map((channel, i) => fill(t.flatten_constants, { channel, mean: number(model.mean[i]), std: number(model.std[i]) })).join(" · ");
  now.show("flatten",
    badge(made.difference, t),
    sideBySide([tile(made.pixels, size, size, fill(t.flatten_patch, place), { name: "patch" }), ...parts.map((part, i) => channelTile(part, size, names[i], limit))], "120px"),
    note(constants), heading(fill(t.flatten_list, n)),
    ...parts.map((part, i) => strip(part, `${names[i]} · ${1 + i * count} – ${(i + 1) * count}`, { name: `channel-${i}`, limit })),
    strip(made.values, t.flatten_vector, { name: "flat", limit, shape: "tall" }), firstNumbers(made.values, 12));
}

// One normalised channel, with its numbers written where there is room.
function channelTile(values, size, name, limit) {
  const shades = shadesOf(values, "difference", -limit, limit);
  if (size > WRITTEN) return tile(shades, size, size, name);
  const cells = Array.from(values, (value, i) =>
    `<i class="${Math.abs(value) > 0.6 * limit ? "strong" : ""}" style="background:rgb(${shades[3 * i]} ${shades[3 * i + 1]} ${shades[3 * i + 2]})">${fixedText(value, 1)}</i>`);
  return `<figure class="vw-map"><figcaption>${name}</figcaption><div class="vw-written" style="--side:${size}">${cells.join("")}</div></figure>`;
}

export function leadEmbedding(now) {
  const { t, numbers: n, made } = now, image = (values, rows, cols, name) => `<img src="${matrixImage(values, rows, cols, quantile(values.map(Math.abs), 0.99) || 1)}" alt="${name}">`;
  const matrix = new Float32Array(n.values * n.dim);
  for (let out = 0; out < n.dim; out++) for (let i = 0; i < n.values; i++) matrix[i * n.dim + out] = made.matrix[out * n.values + i];
  now.show("product",
    heading(t.embedding_product, fill(t.embedding_product_note, n)),
    `<div class="vw-product" data-draw="product">${image(made.values, n.values, 1, "x")}<b>·</b>${image(matrix, n.values, n.dim, "E")}`
      + `<span></span><b>=</b>${image(made.vector, 1, n.dim, "x·E + b")}</div>`,
    badge(made.difference, t));
}

export function drawEmbedding(now) {
  const { t, made, place, numbers: n } = now, limit = mostOf(made.vector, made.byMatrix);
  now.show("embedding",
    strip(made.vector, fill(t.embedding_model, place), { name: "embedding", limit, shape: "tall" }), firstNumbers(made.vector),
    strip(made.byMatrix, t.embedding_matrix, { name: "matrix", limit }), strip(made.byConvolution, t.embedding_convolution, { name: "convolution", limit }),
    facts([t.embedding_apart, number(made.apart)]));
  const tiles = made.filters.map((filter) => tile(Uint8Array.from(filter, (value) => 255 * value), n.patch, n.patch, "", { name: "filter" }));
  now.show("filters", heading(fill(t.embedding_filters, { count: tiles.length }), t.embedding_filters_note), gallery(tiles, "64px"));
}

export function drawTokens(now) {
  const { t, made, prefix, numbers: n } = now;
  now.show("sequence", facts([t.tokens_length, `${n.prefix} + ${n.patches} = ${n.tokens}`]), sequence(now, prefix));
  if (made.absent) return;
  const limit = mostOf(...made.vectors);
  now.show("tokens", badge(made.difference, t),
    ...made.vectors.map((vector, i) => strip(vector, fill(t.tokens_vector, { name: prefix[i] }), { name: `prefix-${i}`, limit, shape: "tall" }) + firstNumbers(vector)),
    note(t.tokens_note));
}

export function leadPosition(now) {
  const { t, made, query, patch, grid, photo } = now;
  if (!made.similarity) return now.show("place", badge(made.difference, t));
  const low = Math.min(...made.similarity), high = Math.max(...made.similarity);
  now.show("place",
    overPicture(photo, made.similarity, grid, fill(t.position_similarity, { query }), { name: "similarity-embedding", query: patch, map: "cividis", low, high, opacity: 0.85 }),
    colourBar(low, high, t.position_of_embedding, "cividis"), badge(made.difference, t));
}

export function drawPosition(now) {
  const { t, made, query, place, numbers: n, words } = now, of = (all) => all.subarray(place.token * n.dim, (place.token + 1) * n.dim), limit = mostOf(of(made.before), of(made.after));
  const all = quantile(made.after.map(Math.abs), 0.995);
  now.show("position",
    note(fill(t.position_kind, { model: escaped(n.model), kind: words.position })),
    strip(of(made.before), fill(t.position_before, { query }), { name: "before", limit }), strip(of(made.position), t.position_embedding, { name: "position", limit }),
    strip(of(made.after), t.position_after, { name: "after", limit, shape: "tall" }),
    ...[["position_all_before", made.before], ["position_all_after", made.after]].map(([key, values]) =>
      `<figure class="vw-strip"><figcaption><span>${t[key]}</span></figcaption>`
      + `<img class="vw-matrix" data-draw="${key}" src="${matrixImage(values, n.tokens, n.dim, all)}" alt="${t[key]}"></figure>`));
}
