// The numbers below the picture, and the sentence for who hears the page.

import { entropy, prefixPart, rankOf, rawScore } from "../compute/attention.js";
import { linkedToken } from "../compute/link.js";
import { peakPatch, shownRow } from "../state/content.js";
import { headOn } from "../state/counterparts.js";
import { layerOf, prefixCount, sidesOf } from "../state/sides.js";
import { areaOf, queryOf } from "../state/state.js";
import { readToken } from "../state/weight.js";
import { natsText, percent, percentShort, plain } from "./numbers.js";
import { fill, headName, prefixName, queryName, tokenName, viewName } from "./words.js";

export function drawReading(app) {
  const { dom, texts, choice, a } = app, { capture } = a, row = shownRow(a), to = choice.direction === "to";
  const put = (name, ...parts) => dom.reading[name].replaceChildren(...parts);
  const peak = peakPatch(a, row), spread = spreadOf(app, row);
  dom.labels.from.textContent = to ? texts.towards : texts.from;
  dom.labels.peak.textContent = to ? texts.peak_to : texts.peak;
  dom.labels.entropy.textContent = to ? texts.received : texts.entropy;
  dom.labels.prefix.textContent = to ? texts.prefix_to : texts.prefix;
  put("from", queryName(app), quiet(viewName(app)));
  put("peak", tokenName(capture, texts, peak), quiet(percent(row[peak])));
  put("entropy", spread.value, quiet(spread.limit));
  if (prefixCount(a)) put("prefix", percent(prefixPart(row, prefixCount(a))), quiet(prefixParts(capture, texts, row)));
  app.sentence = fill(to ? texts.sentence_to : texts.sentence, {
    view: viewName(app), query: queryName(app), peak: tokenName(capture, texts, peak), share: percent(row[peak]), spread: spread.value,
  }) + (prefixCount(a) ? fill(to ? texts.sentence_prefix_to : texts.sentence_prefix, { share: percent(prefixPart(row, prefixCount(a))) }) : "");
  drawUnder(app, put);
  for (const side of sidesOf(app)) dom.figures[side.name].line.textContent = app.b ? lineOf(app, side) : "";
}

// How widely a row is spread; for a column, how much it draws in all.
function spreadOf({ texts, choice, a }, row) {
  const total = row.reduce((sum, value) => sum + value, 0), limit = plain(Math.log(a.capture.num_tokens), 3);
  if (choice.direction === "to") return { value: fill(texts.received_value, { times: plain(total, 3) }), limit: texts.received_limit };
  const nats = total > 0 ? entropy(row.map((value) => value / total)) : 0;
  return { value: fill(texts.entropy_value, { entropy: natsText(nats) }), limit: fill(texts.entropy_limit, { limit }) };
}

function drawUnder(app, put) {
  const { texts, choice, a, inspect } = app, token = readToken(app);
  if (token === null || token === undefined) return put("under", "–", quiet(texts.under_hint));
  const head = inspect && inspect.head !== undefined ? inspect.head : choice.rollout ? null : choice.head;
  const values = a.content.items[head === null ? 0 : head + 1]?.row ?? shownRow(a);
  const step = choice.rollout && head !== null ? fill(texts.step, { last: head }) : headName(texts, head, choice.fuse);
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
  const parts = [viewName(app, side.content.layer, head), `${texts.peak}: ${tokenName(side.capture, texts, peak)}, ${percent(row[peak])}`];
  if (choice.direction === "from") parts.push(`${texts.entropy} ${spreadOf({ texts, choice, a: side }, row).value}`);
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
