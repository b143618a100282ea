// Why this number: one attention weight worked out from its query and its key, beside what the engine computed.

import { scoreTerms } from "../compute/attention.js";
import { layerOf } from "../state/sides.js";
import { areaOf } from "../state/state.js";
import { stampOfCheck, subjectOf } from "../state/weight.js";
import { element } from "./elements.js";
import { percent, percentExact, plain, roundingText } from "./numbers.js";
import { fill, headName, tokenName } from "./words.js";

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
    [texts.why_result, percentExact(terms.attention), "result"],
    ...(app.session.own ? [] : [[texts.why_engine, engineText(app, asked, terms.attention), "engine"]]),
  ];
  const rows = steps.map(([what, value, kind = ""]) => element("tr", { class: kind }, element("th", { scope: "row" }, what), element("td", {}, value)));
  const note = choice.head === null ? fill(texts.why_fused, { fuse: headName(texts, null, choice.fuse), head: asked.head }) : "";
  dom.whyBody.replaceChildren(element("p", { class: "why-title" }, title), element("table", { style: `--lines: ${Math.ceil(steps.filter(([, , kind]) => kind !== "engine").length / 2)}` }, ...rows),
    element("p", { class: "hint" }, [note, texts.why_hint].filter(Boolean).join(" ")));
}

// The engine is asked once the choice rests; a stand-alone file was checked when it was made, and a
// page that runs the model itself (session.own) has no other value.
function engineText(app, asked, ours) {
  const { texts, session, a } = app;
  const { checked } = session;
  if (checked) return fill(checked.rows < checked.of ? texts.why_sampled : texts.why_checked, { ...checked, worst: percent(checked.worst) });
  const answer = app.answers?.get(stampOfCheck(a, asked));
  if (!answer) return app.check?.stamp === stampOfCheck(a, asked) ? texts.why_waiting : texts.why_rests;
  const difference = Math.abs(answer.value - ours) / (answer.row_maximum || 1);
  return fill(texts.why_difference, { value: percentExact(answer.value), difference: roundingText(difference) });
}
