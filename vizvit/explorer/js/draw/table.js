// The numbers of every head of the layer as a table: of this query, and of all queries of the picture.

import { entropy, meanDistance, prefixPart } from "../compute/attention.js";
import { placeOf } from "../compute/patches.js";
import { choose } from "../state/changes.js";
import { prefixCount } from "../state/sides.js";
import { areaOf, queryOf } from "../state/state.js";
import { element, keepFocus } from "./elements.js";
import { natsText, percent, percentShort, pixelsText, plain } from "./numbers.js";
import { fill, tokenName } from "./words.js";

const SINKS = 3; // named in a cell; more are counted

export function drawNumbers(app) {
  const { dom, folds, choice, texts, a } = app;
  if (!folds.numbers || !a.content?.items.length) return;
  if (choice.rollout) {
    dom.numbers.stamp = null;
    return dom.numbers.replaceChildren(element("p", { class: "hint" }, texts.numbers_rollout));
  }
  const survey = app.surveyOf(a, choice.layer), heads = a.content.items.slice(1);
  const stamp = [a.capture.capture, choice.layer, choice.direction, choice.head, queryOf(app), areaOf(app), Boolean(survey), texts.numbers_hint].join();
  if (dom.numbers.stamp === stamp && dom.numbers.firstChild) return;
  dom.numbers.stamp = stamp;
  const table = element("table", {}, headerOf(app), element("tbody", {}, ...heads.map((item) => rowOf(app, item, survey))));
  keepFocus(dom.numbers, () => {
    dom.numbers.replaceChildren(element("div", { class: "table-box" }, table), element("p", { class: "hint" }, texts.numbers_hint));
  });
}

function headerOf(app) {
  const { texts, choice, a } = app;
  const prefix = prefixCount(a) > 0, own = choice.direction === "from" ? 2 + prefix : 1;
  const cell = (text, attributes) => element("th", { scope: "col", ...attributes }, text);
  const groups = element("tr", {}, cell("", {}), cell(texts.numbers_query, { colspan: own, scope: "colgroup" }),
    cell(texts.numbers_all, { colspan: 3 + prefix, scope: "colgroup" }));
  const names = choice.direction === "from" ? [areaOf(app) ? texts.entropy_of_mean : texts.entropy, texts.distance, ...(prefix ? [texts.prefix] : [])] : [texts.received];
  names.push(texts.entropy_mean, texts.distance, ...(prefix ? [texts.prefix] : []), texts.sinks);
  return element("thead", {}, groups, element("tr", {}, cell(texts.head_column, {}), ...names.map((name) => cell(name, {}))));
}

function rowOf(app, { name: head, row }, survey) {
  const { texts, choice, a } = app, { capture } = a, prefix = prefixCount(a);
  const values = choice.direction === "from"
    ? [natsText(entropy(row)), pixelsText(distanceOf(app, row)), ...(prefix ? [percent(prefixPart(row, prefix))] : [])]
    : [fill(texts.received_value, { times: plain(row.reduce((sum, value) => sum + value, 0), 3) })];
  if (survey) {
    values.push(natsText(survey.entropy[head]), pixelsText(survey.distance[head]), ...(prefix ? [percent(survey.prefixShare[head])] : []));
    const sinks = survey.sinks[head];
    const named = sinks.slice(0, SINKS).map(({ token, share }) => `${tokenName(capture, texts, token)} ${percentShort(share)}`);
    if (sinks.length > SINKS) named.push(fill(texts.more, { count: sinks.length - SINKS }));
    values.push(named.join(" · ") || "–");
  } else values.push(...Array(3 + (prefix > 0)).fill("…"));
  const button = element("button", { type: "button" }, fill(texts.head, { head }));
  button.addEventListener("click", () => choose(app, { head }));
  const line = element("tr", {}, element("th", { scope: "row" }, button), ...values.map((value) => element("td", {}, value)));
  if (head === choice.head) line.setAttribute("aria-current", "true");
  return line;
}

// How far away the patches are that one query patch attends to; a prefix token and a rectangle have no place.
function distanceOf(app, row) {
  const { capture } = app.a, place = areaOf(app) ? null : placeOf(capture, queryOf(app));
  return place ? meanDistance(row, prefixCount(app.a), capture.rows, capture.cols, capture.patch_size, queryOf(app)) : null;
}
