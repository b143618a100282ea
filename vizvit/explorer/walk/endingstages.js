// Stages 12 and 13 as they are drawn: all blocks at once, and the prediction.

import { fixedText } from "../js/draw/numbers.js";
import { fill } from "../js/draw/words.js";
import { createChart, layerTicks } from "./chart.js";
import { colourBar, gallery, overPicture, tile } from "./overlays.js";
import { badge, bars, escaped, facts, firstNumbers, heading, note, number, share, sideBySide, strip } from "./written.js";

const CLASSES = 8, RANKS = 3, DIMENSIONS = 12, FIRST = 5;
const GREY = [150, 150, 150]; // of the other classes; the first are told apart by matplotlib's "tab10", without its grey
const PALETTE = ["1f77b4", "ff7f0e", "2ca02c", "d62728", "9467bd", "8c564b", "e377c2", "bcbd22", "17becf"].map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));

const stepName = ({ t }, index) => (index ? fill(t.depth_after, { layer: index - 1 }) : t.depth_input);
const bytesOf = (colours) => Uint8Array.from(colours, (value) => 255 * value);

export function leadDepth(now) {
  const { t, made, place, grid } = now, step = place.layer + 1;
  now.show("components", heading(t.depth_rgb), tile(bytesOf(made.rgb[step]), grid.rows, grid.cols, stepName(now, step), { name: "components", query: [place.row, place.col] }));
}

export function drawDepth(now) {
  const { t, made, place, grid, numbers, words } = now;
  const tiles = made.rgb.map((colours, index) => tile(bytesOf(colours), grid.rows, grid.cols, stepName(now, index), { name: "pca", chosen: index === place.layer + 1 }));
  now.show("depth", gallery(tiles, "58px"), note(t.depth_rgb_note), sideBySide([normsChart(now), similarityChart(now)], "250px"));
  if (!made.lens) return now.show("no_lens", note(fill(t.absent_classifier, { model: escaped(numbers.model), dim: numbers.dim })));
  now.show("lens", badge(made.difference, t), heading(t.depth_lens, fill(t.depth_lens_note, { read_out: words.read_out })), lensTable(now));
  drawPatchLens(now, place.layer + 1);
}

function normsChart(now) {
  const { t, made, place, query } = now, layers = [...made.norms.keys()], [low, middle, high, highest] = made.patchNorms, token = made.norms.map((row) => row[place.token]);
  const chart = createChart([0, layers.at(-1)], [0, Math.max(...highest, ...token)], [t.depth_axis, t.depth_norms], "norms");
  chart.line(layers, low, "quiet").line(layers, high, "quiet").line(layers, middle).line(layers, token, "accent").dots(layers, token, "accent");
  return chart.html(layerTicks(layers.length)) + note(fill(t.depth_norms_note, { query }));
}

function similarityChart({ t, made }) {
  const layers = [...made.similarity.keys()], chart = createChart([0, layers.at(-1)], [Math.min(0, ...made.similarity), 1], [t.depth_axis, t.depth_similarity], "similarity");
  return chart.line(layers, made.similarity, "accent").dots(layers, made.similarity, "accent").html(layerTicks(layers.length));
}

// The likeliest classes of what is read out, layer by layer.
function lensTable(now) {
  const { t, made, place } = now, count = Math.min(RANKS, made.lens[0].length), ranks = Array.from({ length: count }, (_, rank) => rank);
  const rows = made.lens.map((classes, index) => `<tr class="${index === place.layer + 1 ? "chosen" : ""}"><td>${stepName(now, index)}</td>${ranks.map((rank) =>
    `<td>${now.label(classes[rank])} <small>${now.told(made.lensProbability[index][rank])}</small></td>`).join("")}</tr>`);
  return `<table class="vw-table" data-draw="lens"><tr><th>${t.choose_layer}</th>${ranks.map((rank) => `<th>${rank + 1}</th>`).join("")}</tr>${rows.join("")}</table>`;
}

function drawPatchLens(now, index) {
  const { t, made, grid, photo, place, kind } = now, values = made.patchProbability[index], classes = made.patchLens[index], query = [place.row, place.col];
  const title = heading(fill(t.depth_patch_lens, { step: stepName(now, index) }));
  if (kind === "value") {
    const low = Math.min(...values), high = Math.max(...values);
    return now.show("patch_lens", title, sideBySide([overPicture(photo, values, grid, now.label(0), { name: "patch-value", query, low }) + colourBar(low, high, "")], "240px"));
  }
  const counts = new Map();
  for (const one of classes) counts.set(one, (counts.get(one) ?? 0) + 1);
  const kinds = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || a - b), frequent = kinds.slice(0, CLASSES), rgb = new Uint8Array(3 * classes.length);
  classes.forEach((one, patch) => rgb.set(PALETTE[frequent.indexOf(one)] ?? GREY, 3 * patch));
  const legend = frequent.map((one, i) => `<span><i style="background:rgb(${PALETTE[i].join(" ")})"></i>${now.label(one)} × ${counts.get(one)}</span>`);
  if (kinds.length > frequent.length) legend.push(`<span><i style="background:rgb(${GREY.join(" ")})"></i>${fill(t.depth_others, { count: kinds.length - frequent.length })}</span>`);
  now.show("patch_lens", title, sideBySide([
    `${tile(rgb, grid.rows, grid.cols, t.depth_classes, { name: "patch-lens", query })}<div class="vw-legend">${legend.join("")}</div>`,
    overPicture(photo, values, grid, t.depth_probability, { name: "patch-probability", query }),
  ], "240px"));
}

export function drawHead(now) {
  const { t, made, kind } = now;
  if (kind === "features") {
    now.show("prediction", ...readOutOf(now, t.head_vector));
    const rows = made.near.map(({ index, cosine }) => [escaped(now.samples[index].title), cosine, fixedText(cosine, 3)]);
    const images = made.near.map(({ index }) => now.samples[index].image);
    return now.show("nearest", heading(t.head_nearest, t.head_nearest_note), bars(rows, { name: "nearest", images, top: 1 }));
  }
  const order = kind === "value" ? [...made.predictions.keys()].slice(0, FIRST) : [...made.predictions.keys()].sort((a, b) => made.predictions[b] - made.predictions[a]).slice(0, FIRST);
  const rowText = (index) => fill(t.head_row, { share: share(made.predictions[index]), logit: fixedText(made.logits[index], 2) });
  const drawn = kind === "value" ? facts(...order.map((index) => [now.label(index), now.told(made.predictions[index])]))
    : bars(order.map((index) => [now.label(index), made.predictions[index], rowText(index)]), { name: "top", top: 1 });
  now.show("prediction", ...readOutOf(now, t.head_normed), heading(t.head_top), drawn);
  drawLead(now);
}

function readOutOf({ t, made, words }, normed) {
  return [badge(made.difference, t), strip(made.pooled, fill(t.head_pooled, { read_out: words.read_out }), { name: "pooled" }),
    strip(made.normed, normed, { name: "normed", shape: "tall" }), firstNumbers(made.normed)];
}

// What the prediction is the sum of: the lead of the winner, or, where nothing competes, its output itself.
function drawLead(now) {
  const { t, made } = now, { contributions, distilledContributions: distilled, logits, winner, runnerUp } = made, total = (x) => x.reduce((sum, value) => sum + value, 0);
  const rounded = (value) => Number(value.toFixed(2)), competing = runnerUp !== null, names = { winner: now.label(winner), other: competing ? now.label(runnerUp) : "" };
  const lead = competing ? fixedText(rounded(logits[winner]) - rounded(logits[runnerUp]), 2) : fixedText(made.lead, 2);
  const order = [...contributions.keys()].sort((a, b) => Math.abs(contributions[b]) - Math.abs(contributions[a])).slice(0, DIMENSIONS);
  now.show("lead",
    heading(fill(t[competing ? "head_lead" : "head_why"], names)),
    facts([t[competing ? "head_difference" : "head_output"], lead], [t.head_terms, fixedText(total(contributions), 2)],
      ...(distilled ? [[t.head_distilled, fixedText(total(distilled), 2)]] : []), [t.head_bias, fixedText(made.biasContribution, 2)]),
    sideBySide([
      bars(order.map((dimension) => [fill(t.head_dimension, { dimension }), contributions[dimension], number(contributions[dimension])]), { name: "contributions" }),
      strip(contributions, t[competing ? "head_contributions" : "head_parts"], { name: "lead" }),
    ]));
}
