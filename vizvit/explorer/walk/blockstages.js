// Stages 6 to 11 as they are drawn: the inside of a block, for one token.

import { percentOf } from "../js/draw/numbers.js";
import { encodeCapture, frameOf } from "../js/forward/encode.js";
import { fill } from "../js/draw/words.js";
import { CURVES } from "../js/byhand/formulas.js";
import { createChart } from "./chart.js";
import { colourBar, gallery, overPicture } from "./overlays.js";
import { badge, bars, facts, firstNumbers, heading, mostOf, note, number, quantile, share, sideBySide, strip } from "./written.js";

const BATCHES = [1, 2, 8], BINS = 40, MOST = 6, THREADS = 8, THREADS_OF_HEADS = 5, UNITS = 8, POINTS = 241;
const MEET_WORDS = ["picture", "title", "query", "key", "sums", "hint", "reading", "follow", "product", "bias", "exponential", "sum", "share"];
const SPREAD_WORDS = ["width", "again", "without", "with", "deviation", "largest"];

export function drawNorm(now) {
  const { t, made, query } = now, round = (value) => (Math.abs(value) < 5e-6 ? "0" : number(value)), mean = (x) => x.reduce((sum, value) => sum + value / x.length, 0);
  const middle = mean(made.normalised), learned = [["weight", "scale"], ["bias", "shift"]].filter(([part]) => made[part]);
  now.show("norm",
    badge(made.difference, t), strip(made.before, fill(t.norm_before, { query }), { name: "before" }),
    facts([t.mean, number(made.mean)], [t.variance, number(made.variance)], ["ε", number(made.eps)]),
    strip(made.normalised, t.norm_normalised, { name: "normalised" }), facts([t.mean, round(middle)], [t.variance, number(mean(made.normalised.map((value) => (value - middle) ** 2)))]),
    strip(made.after, fill(t.norm_after, { kind: "LayerNorm" }), { name: "after", shape: "tall" }),
    sideBySide([...(learned.length ? [learned.map(([part, name]) => strip(made[part], t[`norm_${name}`], { name })).join("")] : []), histogram(made, t)], "250px"));
  now.show("batch_title", heading(t.batch_title, t.batch_note));
  const size = now.choose("batch", t.batch_size, BATCHES.map((count) => [count, String(count)])), batch = made.batch;
  const limit = mostOf(batch.batchNorm, batch.layerNorm);
  now.show("batch",
    strip(batch.batchNorm, fill(t.batch_bn, { count: size }), { name: "batch-norm", limit, shape: "tall" }),
    strip(batch.layerNorm, fill(t.batch_ln, { count: size }), { name: "layer-norm", limit, shape: "tall" }),
    facts([t.batch_bn_moved, round(batch.movedBatch)], [t.batch_ln_moved, round(batch.movedLayer)]), note(t.batch_pictures));
}

// Where the token's numbers lie before and after.
function histogram({ before, after }, t) {
  const both = [...before, ...after], low = Math.min(...both), high = Math.max(...both), edges = Array.from({ length: BINS + 1 }, (_, i) => low + ((high - low) * i) / BINS);
  const [first, second] = [before, after].map((values) => {
    const counts = new Array(BINS).fill(0);
    for (const value of values) counts[Math.min(Math.floor(((value - low) / (high - low || 1)) * BINS), BINS - 1)]++;
    return counts;
  });
  return createChart([low, high], [0, Math.max(...first, ...second)], [t.norm_axis, t.norm_histogram], "histogram").steps(edges, first).steps(edges, second, "accent").html();
}

export function drawQkv(now) {
  const { t, made, query, place } = now, limit = mostOf(made.query, made.key, made.value);
  meet(now, "keys");
  now.show("qkv", badge(made.difference, t), ...["query", "key", "value"].map((name) => heading(t[`qkv_${name}`], t[`qkv_${name}_note`])
    + strip(made[name], fill(t.qkv_vector, { query, head: place.head }), { name, limit, shape: "tall" }) + firstNumbers(made[name])));
}

// One head alone, as meet.js takes it.
function meet({ t, live, model, place, photo, numbers, prefix, picture, colours }, mode) {
  const words = { ...Object.fromEntries(MEET_WORDS.map((name) => [name, t[`meet_${name}`]])), patch: t.choose_patch };
  const blob = encodeCapture({ ...model, heads: 1, layers: 1 }, { queries: [picture.queries], keys: [picture.keys] }, picture.view, `${place.layer} ${place.head}`, colours);
  const session = { mode, layer: place.layer, head: place.head, token: place.token, tokens: numbers.tokens, image: photo, fixed: false, prefix, words };
  live("meet", `meet_${mode}`, frameOf(session, blob));
}

export function drawScores(now) {
  const { t, live, numbers, made } = now;
  meet(now, "scores");
  const scaled = now.choose("scaling", fill(t.scores_scaling, numbers), [[true, t.scores_with], [false, t.scores_without]]);
  drawScaled(now, made, scaled);
  now.show("spread_title", heading(t.spread_title, t.spread_note));
  live("spread", "spread", { dim: numbers.head_dim, words: Object.fromEntries(SPREAD_WORDS.map((name) => [name, t[`spread_${name}`]])) });
}

function drawScaled(now, made, scaled) {
  const { t, grid, photo, patch, prefix } = now, values = scaled ? made.scaled : made.products, weights = scaled ? made.attention : made.attentionUnscaled, limit = mostOf(values) || 1;
  const heat = weights.subarray(grid.prefix), parts = prefix.map((name, i) => `${name} ${share(weights[i])}`).join(" · ");
  const [entropyNow, largestNow] = scaled ? [made.entropy, made.largest] : [made.entropyUnscaled, made.largestUnscaled];
  const signed = { name: "scores", query: patch, map: "difference", low: -limit, high: limit, opacity: 0.8 };
  const row = (name, entropy, largest, chosen) => `<tr class="${chosen ? "chosen" : ""}"><td>${name}</td><td>${number(entropy)}</td><td>${share(largest)}</td></tr>`;
  now.show("scores",
    facts([t.scores_entropy, `${number(entropyNow)} ${t.nats}`], [t.scores_largest, share(largestNow)], [t.scores_range, `± ${number(limit)}`]),
    sideBySide([
      overPicture(photo, values.subarray(grid.prefix), grid, t[scaled ? "scores_scaled" : "scores_products"], signed)
        + colourBar(-limit, limit, t.scores_unit, "difference"),
      overPicture(photo, heat, grid, t.scores_weights, { name: "softmax", query: patch }) + colourBar(0, Math.max(...heat), t.attention, "viridis", percentOf),
    ], "220px"),
    badge(made.difference, t), parts ? note(fill(t.scores_prefix, { parts })) : "",
    `<table class="vw-table" data-draw="scaling"><tr><th></th><th>${t.scores_entropy} (${t.nats})</th><th>${t.scores_largest}</th></tr>`
      + `${row(t.scores_with, made.entropy, made.largest, scaled)}${row(t.scores_without, made.entropyUnscaled, made.largestUnscaled, !scaled)}</table>`);
}

export function drawSum(now) {
  const { t, made, grid, photo, patch, prefix, query } = now, { contributions, weights, valueNorms } = made;
  const order = [...contributions.keys()].sort((a, b) => contributions[b] - contributions[a]).slice(0, MOST), total = contributions.reduce((sum, value) => sum + value, 0) || 1;
  const placeOf = (token) => [Math.floor((token - grid.prefix) / grid.cols), (token - grid.prefix) % grid.cols];
  const named = (token) => (token < grid.prefix ? prefix[token] : `(${placeOf(token).join(", ")})`);
  const marks = order.map((token, i) => [i + 1, token]).filter(([, token]) => token >= grid.prefix).map(([rank, token]) => [rank, placeOf(token)]);
  const attention = weights.subarray(grid.prefix), parts = contributions.subarray(grid.prefix);
  now.show("sum",
    sideBySide([
      overPicture(photo, attention, grid, t.sum_attention, { name: "attention", query: patch, threads: THREADS }) + colourBar(0, Math.max(...attention), t.attention, "viridis", percentOf),
      overPicture(photo, parts, grid, t.sum_contribution, { name: "contribution", query: patch, marks }) + colourBar(0, Math.max(...parts), t.sum_unit),
    ], "220px"),
    badge(made.difference, t), heading(t.sum_most),
    bars(order.map((token, i) => [`${i + 1} · ${named(token)}`, contributions[token],
      fill(t.sum_row, { weight: share(weights[token]), norm: number(valueNorms[token]), total: number(total), part: share(contributions[token] / total) })]), { name: "contributions" }),
    strip(made.output, fill(t.sum_output, { query }), { name: "output", shape: "tall" }), firstNumbers(made.output));
}

export function leadHeads(now) {
  const { t, made, grid, query, patch, place, photo } = now;
  const maps = made.maps.map((row, head) => overPicture("", row.subarray(grid.prefix), grid, fill(t.head_number, { head }),
    { name: "head-map", query: patch, threads: THREADS_OF_HEADS, chosen: head === place.head }));
  now.show("maps", heading(fill(t.heads_maps, { query }), t.heads_maps_note), `<div style="--photo:url(${photo})">${gallery(maps, "92px")}</div>`);
}

export function drawHeads(now) {
  const { t, made, query, place, numbers } = now, limit = mostOf(...made.outputs), named = (head) => fill(t.head_number, { head });
  now.show("heads",
    badge(made.difference, t), heading(fill(t.heads_outputs, { query })),
    `<div class="vw-heads">${made.outputs.map((output, head) => strip(output, named(head), { name: `head-${head}`, limit, extremes: false })).join("")}</div>`,
    strip(made.concatenated, fill(t.heads_concatenated, numbers), { name: "concatenated", limit }), strip(made.projected, t.heads_projected, { name: "projected", shape: "tall" }),
    firstNumbers(made.projected), heading(t.heads_writes, t.heads_writes_note),
    bars(made.writes.map((length, head) => [named(head), length, number(length)]), { name: "writes", chosen: place.head }),
    note(fill(t.heads_sum, { sum: number(made.writes.reduce((sum, length) => sum + length, 0)), length: number(made.written) })));
}

function less(one, other) {
  return one.map((value, i) => value - other[i]);
}

export function leadMlp(now) {
  const { t, made, query } = now, { before, afterAttention, out, after } = made;
  const limit = quantile([...before, ...afterAttention, ...out, ...after].map(Math.abs), 0.97);
  const rows = [
    [t.mlp_before, "before", before], [t.mlp_attention, "attention", less(afterAttention, before)], [t.mlp_between, "between", afterAttention],
    [t.mlp_out, "mlp", out], [t.mlp_after, "after", after],
  ];
  now.show("stream", heading(fill(t.mlp_stream, { query })), ...rows.map(([said, name, values]) => strip(values, said, { name, limit, shape: "thin" })));
}

export function drawMlp(now) {
  const { t, made, numbers, model } = now, { before, afterAttention, out, after, pre, hidden, top } = made, curve = CURVES[model.activation];
  const length = (x) => number(Math.hypot(...x)), low = Math.min(...pre, -3), high = Math.max(...pre, 1);
  const xs = Array.from({ length: POINTS }, (_, i) => low + ((high - low) * i) / (POINTS - 1)), ys = xs.map(curve.of);
  const chart = createChart([low, high], [Math.min(...ys), Math.max(...ys)], [t.mlp_axis, t.mlp_value], "curve").line(xs, ys, "quiet").dots(pre, hidden, "", [...pre.keys()]);
  now.show("mlp",
    badge(made.difference, t),
    facts([t.mlp_norm_before, length(before)], [t.mlp_norm_attention, length(less(afterAttention, before))],
      [t.mlp_norm_mlp, length(out)], [t.mlp_norm_after, length(after)]),
    heading(fill(t.mlp_curve, { ...numbers, activation: curve.name })),
    sideBySide([
      chart.html() + note(fill(t.mlp_below, { share: share(pre.filter((value) => value < 0).length / pre.length, 0) })),
      heading(t.mlp_units) + bars(top.slice(0, UNITS).map((unit) => [fill(t.mlp_unit, { unit }), hidden[unit], number(hidden[unit])]), { name: "units" }),
    ], "250px"));
}
