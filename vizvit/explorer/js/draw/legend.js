// The colour bar below a picture, with its values and how they are to be read.

import { spacedTicks, ticksOf } from "../compute/ticks.js";
import { paintScale } from "./colour.js";
import { setText } from "./elements.js";
import { percentOf } from "./numbers.js";

const LETTER = 7 / 330; // of the shortest bar that has numbers between its ends

// The ends say so where values lie beyond them and take the end colours.
export function drawLegend(figure, { row, first, count }, limits, colours, text, write = percentOf) {
  let [least, most] = [Infinity, -Infinity];
  for (let i = first; i < first + count; i++) [least, most] = [Math.min(least, row[i]), Math.max(most, row[i])];
  const sign = (value) => (value === limits.low && least < value ? "≤ " : value === limits.high && most > value ? "≥ " : "");
  const ticks = spacedTicks(ticksOf(limits).map(({ at, value }) => ({ at, text: sign(value) + write(value) })), LETTER);
  paintScale(figure.bar, colours);
  const stamp = ticks.map((tick) => `${tick.at.toFixed(3)}${tick.text}`).join();
  if (figure.stamp !== stamp) {
    figure.stamp = stamp;
    figure.ticks.replaceChildren(...ticks.map(({ at, text }) => {
      const tick = document.createElement("span");
      tick.textContent = text;
      tick.style.setProperty("--at", at);
      return tick;
    }));
  }
  setText(figure.text, text);
  figure.legend = { ...limits, ticks, text, ends: [write(limits.low), write(limits.high)] };
}
