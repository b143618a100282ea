// Line charts as inline SVG: curves, points on them, histograms, as vizvit/pages/walkthrough/charts.py draws them.

import { escaped, number } from "./written.js";

const [ACROSS, TALL, LEFT, RIGHT, TOP, BOTTOM] = [400, 270, 50, 12, 12, 48];

// x, y: [low, high]; names: of the two axes. Lines, points and steps are added; html(ticks of x) is the picture.
export function createChart(x, y, names, name) {
  const parts = [], [x0, x1] = widened(x), [y0, y1] = widened(y), right = ACROSS - RIGHT, bottom = TALL - BOTTOM;
  const across = (value) => (LEFT + ((value - x0) / (x1 - x0)) * (right - LEFT)).toFixed(1), down = (value) => (bottom - ((value - y0) / (y1 - y0)) * (bottom - TOP)).toFixed(1);
  const points = (xs, ys) => Array.from(xs, (value, i) => `${across(value)},${down(ys[i])}`).join(" ");
  const chart = {
    line(xs, ys, kind = "") {
      parts.push(`<polyline class="vw-line ${kind}" points="${points(xs, ys)}"/>`);
      return chart;
    },
    dots(xs, ys, kind = "", titles = []) {
      const radius = kind === "accent" ? 6.5 : 3.5, tip = (i) => (titles[i] === undefined ? "" : ` data-tip="${escaped(titles[i])}"`);
      parts.push(...Array.from(xs, (value, i) => `<circle class="vw-dot ${kind}" cx="${across(value)}" cy="${down(ys[i])}" r="${radius}"${tip(i)}/>`));
      return chart;
    },
    steps(edges, counts, kind = "") {
      const xs = [...edges].flatMap((edge) => [edge, edge]), ys = [0, ...[...counts].flatMap((count) => [count, count]), 0];
      parts.push(`<polygon class="vw-steps ${kind}" points="${points(xs, ys)}"/>`);
      return chart;
    },
    html(ticksOfX = ticks(x0, x1)) {
      const lines = [`<path class="vw-axis" d="M${LEFT} ${bottom}H${right}"/>`];
      for (const value of ticksOfX) lines.push(`<text class="vw-tick" x="${across(value)}" y="${bottom + 18}">${number(value)}</text>`);
      for (const value of ticks(y0, y1)) {
        const place = `x="${LEFT - 8}" y="${Number(down(value)) + 5}"`;
        lines.push(`<path class="vw-axis" d="M${LEFT} ${down(value)}H${right}"/><text class="vw-tick" ${place} style="text-anchor:end">${number(value)}</text>`);
      }
      lines.push(`<text class="vw-name" x="${(LEFT + right) / 2}" y="${TALL - 6}">${escaped(names[0])}</text>`);
      return `<figure class="vw-chart" data-draw="${name}"><figcaption>${escaped(names[1])}</figcaption><svg viewBox="0 0 ${ACROSS} ${TALL}">${lines.join("")}${parts.join("")}</svg></figure>`;
    },
  };
  return chart;
}

// Three to six round values between the ends.
function ticks(low, high) {
  const rough = (high - low) / 4, size = 10 ** Math.floor(Math.log10(rough)), step = size * [1, 2, 5, 10].find((part) => part * size >= rough);
  const first = Math.ceil(low / step), count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toFixed(12)));
}

function widened([low, high]) {
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

// The whole layers that fit under an axis.
export function layerTicks(count) {
  const step = Math.max(1, Math.floor(count / 12));
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}
