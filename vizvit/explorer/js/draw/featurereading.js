// The numbers of a view of features, in the place of those of attention.

import { histogramOf } from "../compute/features.js";
import { placeOf } from "../compute/patches.js";
import { artefactsOf, isFeatured } from "../state/featureviews.js";
import { prefixCount, sidesOf } from "../state/sides.js";
import { areaOf, queryOf } from "../state/state.js";
import { readToken } from "../state/weight.js";
import { element, shape } from "./elements.js";
import { plainShort } from "./featuremaps.js";
import { fixedText, percent } from "./numbers.js";
import { fill, prefixName, queryName, tokenName, viewName } from "./words.js";

const BINS = 48, HISTOGRAM = { width: 480, height: 74 };

// Puts back what stands there for attention, or takes it away: true where the view is one of features.
export function exchangeReading(app) {
  const { numbersRead } = app.dom, featured = isFeatured(app);
  if (!featured && app.attentionReading) {
    numbersRead.replaceChildren(...app.attentionReading);
    app.attentionReading = null;
  }
  if (!featured) for (const side of sidesOf(app)) side.made = null; // the tiles show something else by now
  if (featured) app.attentionReading ??= [...numbersRead.children];
  return featured;
}

export function drawFeatureReading(app) {
  const { choice, a } = app, rows = { similarity: similarityRows, components: componentRows, norms: normRows }[choice.view](app);
  const boxes = rows.map(([name, value, note]) => element("div", {}, element("dt", {}, name), element("dd", {}, value, element("small", {}, note ?? ""))));
  if (choice.view === "norms") boxes.push(histogram(app));
  app.dom.numbersRead.replaceChildren(...boxes);
  app.sentence = [viewName(app), ...rows.map(([name, value, note]) => [`${name}: ${value}`, note].filter(Boolean).join(", "))].join("; ");
  for (const side of sidesOf(app)) app.dom.figures[side.name].line.textContent = app.b && side === app.b ? matchLine(app, side) : "";
  if (!a.content.items.length) app.sentence = "";
}

function similarityRows(app) {
  const { texts, a } = app, row = shownFeature(a).row, { peak } = a.content, first = prefixCount(a), under = readToken(app);
  const mean = row.subarray(first).reduce((sum, value) => sum + value, 0) / (row.length - first);
  const rows = [
    [texts.similar_to, queryName(app), viewName(app)],
    [texts.similar_most, tokenName(a.capture, texts, peak), cosineText(row[peak])],
    [texts.similar_mean, cosineText(mean), texts.similar_mean_note],
  ];
  if (first) rows.push([texts.similar_prefix, prefixCosines(app, row), texts.cosine]);
  if (under !== null && under !== undefined) rows.push([texts.under, tokenName(a.capture, texts, under), cosineText(row[under])]);
  return rows;
}

function prefixCosines({ texts, a: { capture } }, row) {
  const names = capture.prefix_names.slice(0, 3).map((name, token) => `${prefixName(texts, name)} ${plainShort(row[token])}`);
  return names.join(" · ") + (capture.prefix_names.length > 3 ? " …" : "");
}

function componentRows(app) {
  const { texts, a } = app, { shares, count } = a.features, layer = a.content.layer, token = patchOf(app);
  const colours = [texts.red, texts.green, texts.blue].slice(0, count);
  const parts = shares[layer].map((share, part) => `${colours[part]} ${percent(share)}`).join(" · ");
  const total = shares[layer].reduce((sum, share) => sum + share, 0);
  const rows = [[texts.variance, percent(total), parts], [texts.components_steady, texts.components_steady_value, texts.components_steady_note]];
  if (token === null) return rows;
  const at = (token - prefixCount(a)) * count, values = a.features.components[layer].subarray(at, at + count);
  return [...rows, [tokenName(a.capture, texts, token), [...values].map(plainShort).join(" · "), texts.components_patch]];
}

function normRows(app) {
  const { texts, a } = app, layer = a.content.layer, row = shownFeature(a).row, first = prefixCount(a), { peak } = a.content;
  const found = artefactsOf(a, layer), threshold = a.features.thresholds[layer], token = patchOf(app);
  const sorted = row.slice(first).sort(), patches = row.length - first;
  const marked = threshold === null ? [texts.artefacts_none, texts.artefacts_none_note]
    : [fill(texts.artefacts_some, { count: found.length, share: percent(found.length / patches) }), fill(texts.artefacts_note, { threshold: plainShort(threshold) })];
  const rows = [
    [texts.artefacts, ...marked],
    [texts.norm_most, plainShort(row[peak]), tokenName(a.capture, texts, peak)],
    [texts.norm_median, plainShort(sorted[Math.floor(patches / 2)]), fill(texts.norm_range, { low: plainShort(sorted[0]), high: plainShort(sorted[patches - 1]) })],
  ];
  if (first) rows.push([texts.norm_prefix, prefixCosines(app, row), texts.norm]);
  if (token !== null) rows.push([tokenName(a.capture, texts, token), plainShort(row[token]), texts.norm]);
  return rows;
}

// The patch that is pointed at or chosen; null for a prefix token or a rectangle.
function patchOf(app) {
  const token = readToken(app) ?? queryOf(app);
  return areaOf(app) || !placeOf(app.a.capture, token) ? null : token;
}

function shownFeature(side) {
  return side.content.items[side.content.shown];
}

// "most similar there: row 3, col 4, 0.81", below the second picture.
function matchLine({ texts, choice }, side) {
  const row = shownFeature(side)?.row, { peak } = side.content;
  if (!row || peak === null) return "";
  const what = choice.view === "norms" ? texts.norm_most : texts.similar_most;
  const value = choice.view === "norms" ? plainShort(row[peak]) : cosineText(row[peak]);
  return `${what}: ${tokenName(side.capture, texts, peak)}, ${value}`;
}

function cosineText(value) {
  return fixedText(value, 2);
}

// The norms of the patches of this layer, as bars, with the fitted threshold.
function histogram({ texts, a }) {
  const row = shownFeature(a).row, { low, high, counts } = histogramOf(row, prefixCount(a), BINS), { width, height } = HISTOGRAM;
  const most = Math.max(...counts), wide = width / BINS, threshold = a.features.thresholds[a.content.layer];
  const svg = shape("svg", "histogram");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, role: "img", preserveAspectRatio: "none", "aria-label": texts.histogram })) svg.setAttribute(name, value);
  counts.forEach((count, bin) => {
    const tall = count ? Math.max(1, (count / most) * (height - 4)) : 0, from = low + ((high - low) * (bin + 0.5)) / BINS;
    svg.append(rectangle(bin * wide, height - tall, wide - 1, tall, threshold !== null && from > threshold ? "above" : "below"));
  });
  if (threshold !== null) svg.append(rectangle(((threshold - low) / (high - low)) * width - 1, 0, 2, height, "threshold"));
  const ends = element("span", { class: "histogram-ends" }, element("span", {}, plainShort(low)),
    element("span", {}, threshold === null ? "" : fill(texts.threshold, { threshold: plainShort(threshold) })), element("span", {}, plainShort(high)));
  return element("div", { class: "read-histogram" }, element("dt", {}, texts.histogram), element("dd", {}, svg, ends));
}

function rectangle(x, y, width, height, name) {
  const bar = shape("rect", name);
  for (const [attribute, value] of Object.entries({ x, y, width, height })) bar.setAttribute(attribute, value);
  return bar;
}
