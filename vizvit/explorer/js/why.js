// Why this number: one attention weight worked out from its query and its key, beside what the engine computed.

import { scoreTerms } from "./attention.js";
import { readToken } from "./marks.js";
import { peakPatch, shownRow } from "./drawing.js";
import { areaOf, layerOf, queryOf } from "./state.js";
import { element } from "./view.js";
import { fill, headName, percent, plain, tokenName } from "./words.js";

export function drawWhy(app) {
  const { dom, folds, texts, choice, a } = app;
  if (!folds.why || !a.content?.items.length) return;
  const say = (text) => dom.whyBody.replaceChildren(element("p", { class: "hint" }, text));
  if (choice.rollout) return say(texts.why_rollout);
  if (areaOf(app)) return say(texts.why_area);
  const asked = subjectOf(app), layer = layerOf(a, choice.layer);
  if (!layer) return;
  const terms = scoreTerms(layer, asked.head, asked.query, asked.key);
  const name = (token) => tokenName(a.capture, texts, token);
  const title = fill(texts.why_title, { head: headName(texts, asked.head), query: name(asked.query), key: name(asked.key) });
  const steps = [
    [texts.why_product, plain(terms.product)],
    [fill(texts.why_scale, { scale: plain(terms.scale) }), plain(terms.product * terms.scale)],
    ...(layer.bias ? [[texts.why_bias, plain(terms.bias)]] : []),
    [texts.why_exponent, plain(terms.exponential)],
    [fill(texts.why_sum, { tokens: a.capture.num_tokens }), plain(terms.sum)],
    [texts.why_result, exact(terms.attention), "result"],
    [texts.why_engine, engineText(app, asked, terms.attention), "engine"],
  ];
  const rows = steps.map(([what, value, kind = ""]) => element("tr", { class: kind }, element("th", { scope: "row" }, what), element("td", {}, value)));
  const note = choice.head === null ? fill(texts.why_fused, { fuse: headName(texts, null, choice.fuse), head: asked.head }) : "";
  dom.whyBody.replaceChildren(element("p", { class: "why-title" }, title), element("table", {}, ...rows),
    element("p", { class: "hint" }, [note, texts.why_hint].filter(Boolean).join(" ")));
}

// Which weight is explained: the one under the pointer, the one kept, or the greatest. A fusion has no q·k of its own,
// so the head that gives most to it stands for it.
export function subjectOf(app) {
  const { choice, inspect, a } = app;
  const token = readToken(app) ?? choice.key ?? peakPatch(a, shownRow(a));
  let head = inspect && inspect.head !== undefined ? inspect.head : choice.head;
  if (head === null) {
    const values = a.content.items.slice(1).map(({ row }) => row[token]);
    head = values.indexOf(Math.max(...values));
  }
  const [query, key] = choice.direction === "from" ? [queryOf(app), token] : [token, queryOf(app)];
  return { layer: choice.layer, head, query, key };
}

// The engine is asked once the choice rests; a stand-alone file was checked when it was made.
function engineText(app, asked, ours) {
  const { texts, session, a } = app;
  const { checked } = session;
  if (checked) return fill(checked.rows < checked.of ? texts.why_sampled : texts.why_checked, { ...checked, worst: percent(checked.worst) });
  const answer = app.answers?.get(stampOfCheck(a, asked));
  if (!answer) return texts.why_waiting;
  const difference = Math.abs(answer.value - ours) / (answer.row_maximum || 1);
  return fill(texts.why_difference, { value: exact(answer.value), difference: difference.toExponential(1) });
}

function exact(share) {
  return `${plain(100 * share, 5)} %`;
}

export function stampOfCheck(side, { layer, head, query, key }) {
  return [side.capture.capture, layer, head, query, key].join();
}

// What to ask the engine for, or null where nothing is to be asked.
export function wantedCheck(app) {
  const { folds, choice, session, a } = app;
  if (!folds.why || choice.rollout || areaOf(app) || session.standalone || !a.content?.items.length) return null;
  const asked = subjectOf(app);
  return app.answers?.has(stampOfCheck(a, asked)) ? null : asked;
}
