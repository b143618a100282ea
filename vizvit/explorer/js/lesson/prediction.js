// What the model takes a picture for: its first five classes.

import { element } from "../draw/elements.js";
import { percent, plain } from "../draw/numbers.js";

const SHOWN = 5;

// kind: "softmax", "sigmoid" or "value"; logits: [classes]. The names that come first, with what is written beside them:
// [{ name, title, text, share }], share of a bar's whole width.
export function foremost(logits, labels, kind) {
  const values = kind === "softmax" ? softmaxOf(logits) : kind === "sigmoid" ? logits.map((x) => 1 / (1 + Math.exp(-x))) : logits;
  const order = [...values.keys()];
  if (kind !== "value") order.sort((one, other) => values[other] - values[one]);
  return order.slice(0, SHOWN).map((index) => ({
    title: labels[index], name: labels[index].split(", ")[0],
    text: kind === "value" ? plain(values[index]) : percent(values[index]),
    share: kind === "value" ? null : values[index],
  }));
}

function softmaxOf(logits) {
  const most = Math.max(...logits), powers = Array.from(logits, (x) => Math.exp(x - most)), sum = powers.reduce((all, one) => all + one, 0);
  return powers.map((power) => power / sum);
}

export function drawPrediction(box, found) {
  box.replaceChildren(...found.map(({ name, title, text, share }) => {
    const bar = element("i", { class: "bar-share" });
    bar.style.setProperty("--share", share ?? 0);
    return element("li", { title }, element("span", { class: "class-name" }, name), element("span", { class: "class-share" }, text), ...(share === null ? [] : [bar]));
  }));
}
