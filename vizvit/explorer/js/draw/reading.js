// The numbers below the picture, and the sentence for who hears the page.

import { entropy, prefixPart, rankOf, rawScore, shareOf } from "../compute/attention.js";
import { linkedToken } from "../compute/link.js";
import { halfOf } from "../compute/standing.js";
import { mapOf, peakPatch, shownRow } from "../state/content.js";
import { headOn } from "../state/counterparts.js";
import { layerOf, prefixCount, sidesOf } from "../state/sides.js";
import { areaOf, queryOf } from "../state/state.js";
import { readToken } from "../state/weight.js";
import { setText } from "./elements.js";
import { natsText, percent, percentShort, plain } from "./numbers.js";
import { fill, headName, prefixName, queryName, tokenName, viewName } from "./words.js";

export function drawReading(app) {
  const { dom, texts, choice, a } = app, { capture } = a, row = shownRow(a), to = choice.direction === "to";
  const put = (name, ...parts) => dom.reading[name].replaceChildren(...parts);
  const peak = peakPatch(a, row), spread = spreadOf(app, a, row);
  setText(dom.labels.from, to ? texts.towards : texts.from);
  setText(dom.labels.peak, peakLabel(app));
  setText(dom.labels.entropy, spread.label);
  setText(dom.labels.prefix, to ? texts.prefix_to : texts.prefix);
  put("from", queryName(app), quiet(viewName(app)));
  put("peak", tokenName(capture, texts, peak), quiet(percent(row[peak])));
  put("entropy", spread.value, quiet(spread.limit));
  if (prefixCount(a)) put("prefix", percent(prefixPart(row, prefixCount(a))), quiet(prefixParts(capture, texts, row)));
  app.sentence = fill(choice.rollout ? texts.sentence_rollout : to ? texts.sentence_to : texts.sentence, {
    view: viewName(app), query: queryName(app), peak: tokenName(capture, texts, peak), share: percent(row[peak]), spread: spread.value, label: spread.label,
  }) + (prefixCount(a) ? fill(to ? texts.sentence_prefix_to : texts.sentence_prefix, { share: percent(prefixPart(row, prefixCount(a))) }) : "");
  drawUnder(app, put);
  for (const side of sidesOf(app)) setText(dom.figures[side.name].line, app.b ? lineOf(app, side) : "");
}

function peakLabel({ texts, choice }) {
  return choice.rollout ? texts.peak_rollout : choice.direction === "to" ? texts.peak_to : texts.peak;
}

// How widely a row of a side is spread; for a column, how much it draws in all; for a rollout, what stands out.
function spreadOf(app, side, row) {
  const { texts, choice } = app, total = shareOf(row, row.length);
  if (choice.rollout) return standingText(app, side, row);
  if (choice.direction === "to") return { label: texts.received, value: fill(texts.received_value, { times: plain(total, 3) }), limit: texts.received_limit };
  const nats = total > 0 ? entropy(row.map((value) => value / total)) : 0, limit = plain(Math.log(side.capture.num_tokens), 3);
  return { label: entropyName(app), value: fill(texts.entropy_value, { entropy: natsText(nats) }), limit: fill(texts.entropy_limit, { limit }) };
}

// A mean of rows has an entropy of its own, which is not the mean of theirs.
function entropyName(app) {
  const { texts, choice } = app, fused = choice.head === null;
  if (fused && choice.fuse !== "mean") return texts.entropy_of_fused;
  return fused || areaOf(app) ? texts.entropy_of_mean : texts.entropy;
}

// Which patches have most of the flow, as far as they stand out; else how many have half of it.
function standingText({ texts }, side, row) {
  const { outstanding } = side.content, { first, count: patches } = mapOf(side, { row }), total = shareOf(row.subarray(first), patches) || 1;
  const label = texts.standing, of = plain(patches);
  if (!outstanding.length) return { label, value: texts.standing_none, limit: fill(texts.standing_half, { half: plain(halfOf(row, first, patches)), patches: of }) };
  const share = percent(outstanding.reduce((sum, token) => sum + row[token], 0) / total);
  const value = fill(outstanding.length === 1 ? texts.standing_one : texts.standing_some, { count: outstanding.length, share });
  return { label, value, limit: fill(texts.standing_even, { patches: of, even: percent(outstanding.length / patches) }) };
}

function drawUnder(app, put) {
  const { texts, choice, a, inspect } = app, token = readToken(app);
  if (token === null || token === undefined) return put("under", "–", quiet(texts.under_hint));
  const head = inspect && inspect.head !== undefined ? inspect.head : choice.rollout ? null : choice.head;
  const item = a.content.items[head === null ? 0 : head + 1], values = item?.change ?? item?.row ?? shownRow(a);
  const step = item?.change ? `${texts.layer} ${head}` : choice.rollout && head !== null ? fill(texts.step, { last: head }) : headName(texts, head, choice.fuse);
  let text = fill(texts.under_details, { rank: rankOf(values, token), head: choice.rollout && head === null ? texts.rollout : step });
  const layer = choice.rollout || head === null || areaOf(app) ? null : layerOf(a, choice.layer);
  if (layer) {
    const [query, key] = choice.direction === "from" ? [queryOf(app), token] : [token, queryOf(app)];
    text += fill(texts.under_score, { score: plain(rawScore(layer, head, query, key), 3) });
  }
  const other = app.b ? underOn(app, token) : "";
  put("under", `${tokenName(a.capture, texts, token)} · ${percent(values[token])}${other}`, quiet(text));
}

function underOn({ a, b }, token) {
  const there = linkedToken(a.capture, b.capture, b.linked, token), row = b.content.items[b.content.shown]?.row;
  return there === null || !row ? "" : ` | ${percent(row[there])}`;
}

// One side's numbers below its picture, where two are compared.
function lineOf(app, side) {
  const { texts, choice } = app, row = side.content.items[side.content.shown]?.row;
  if (!row) return "";
  const peak = peakPatch(side, row), prefix = prefixCount(side), head = headOn(app, side);
  const parts = [viewName(app, side.content.layer, head), `${peakLabel(app)}: ${tokenName(side.capture, texts, peak)}, ${percent(row[peak])}`];
  if (choice.rollout || choice.direction === "from") parts.push(Object.values(spreadOf(app, side, row)).slice(0, 2).join(" "));
  if (prefix) parts.push(`${choice.direction === "to" ? texts.prefix_to : texts.prefix} ${percent(prefixPart(row, prefix))}`);
  return parts.join(" · ");
}

// "class 3.1 % · register 1 9.0 %" for up to three prefix tokens; of more, how many.
function prefixParts(capture, texts, row) {
  const names = capture.prefix_names.map((name) => prefixName(texts, name));
  if (names.length > 3) return `${names[0]} + ${names.length - 1}`;
  return names.length < 2 ? names[0] : names.map((name, token) => `${name} ${percentShort(row[token])}`).join(" · ");
}

function quiet(text) {
  return Object.assign(document.createElement("small"), { textContent: text });
}

export function speak(app) {
  app.dom.live.textContent = app.sentence ?? "";
  for (const { button, share } of app.dom.tile) {
    if (share.textContent) button.setAttribute("aria-description", `${app.texts.bar} ${share.textContent}`);
  }
  app.settle(); // the number that is explained may be another by now
}
