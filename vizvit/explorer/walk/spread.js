// A slider of the width of a head: how far random scores spread, and what their softmax makes of it, with and without √d.

import { percent, plain } from "../js/draw/numbers.js";
import { randomScores } from "./variance.js";

const TOKENS = 64, WIDEST = 8, REACH = 50; // keys; the slider ends at 2 ** WIDEST; scores are drawn from -REACH to REACH
const spreads = new WeakMap();

export default function ({ data, parentElement }) {
  let spread = spreads.get(parentElement);
  if (!spread) {
    spread = build(parentElement, data);
    spreads.set(parentElement, spread);
  }
  spread.words = data.words;
  draw(spread);
}

function build(parentElement, data) {
  const frame = parentElement.querySelector(".spread");
  const spread = { frame, seed: 1, slider: frame.querySelector("input"), width: frame.querySelector("output"), again: frame.querySelector("button") };
  Object.assign(spread.slider, { min: 0, max: WIDEST, step: 1, value: Math.round(Math.log2(data.dim)) });
  spread.slider.addEventListener("input", () => draw(spread));
  spread.again.addEventListener("click", () => {
    spread.seed++;
    draw(spread);
  });
  return spread;
}

function draw({ frame, words, seed, slider, width, again }) {
  const dim = 2 ** Number(slider.value);
  width.textContent = dim;
  slider.setAttribute("aria-label", words.width);
  slider.setAttribute("aria-valuetext", dim);
  frame.querySelector("label").firstElementChild.textContent = words.width;
  again.textContent = words.again;
  for (const [name, divided] of [["without", false], ["with", true]]) {
    const { scores, deviation, weights } = randomScores(dim, TOKENS, seed, divided);
    const row = frame.querySelector(`.${name}`);
    row.dataset.deviation = deviation;
    row.dataset.largest = weights[0];
    row.querySelector(".name").textContent = words[name];
    row.querySelector(".scores").innerHTML = dots(scores);
    row.querySelector(".weights").innerHTML = columns(weights);
    row.querySelector(".deviation").textContent = words.deviation.replace("{value}", plain(deviation, 3));
    row.querySelector(".largest").textContent = words.largest.replace("{value}", percent(weights[0]));
  }
}

function dots(scores) {
  const at = (score) => (50 + (50 * Math.min(Math.max(score, -REACH), REACH)) / REACH).toFixed(2);
  const marks = [...scores].map((score, index) => `<circle cx="${at(score)}%" cy="${30 + (index % 5) * 10}%" r="3"/>`);
  return `<line x1="50%" x2="50%" y1="0" y2="100%"/>${marks.join("")}`;
}

function columns(weights) {
  const step = 100 / weights.length;
  return [...weights].map((weight, index) =>
    `<rect x="${(index * step).toFixed(2)}%" width="${(step * 0.8).toFixed(2)}%" y="${(100 - 100 * weight).toFixed(2)}%" height="${(100 * weight).toFixed(2)}%"/>`).join("");
}
