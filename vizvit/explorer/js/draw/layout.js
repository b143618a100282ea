// Where things stand: the width decides about columns, the height about the size of the head maps.

import { placeParts } from "./view.js";

const NARROW = 720; // CSS pixels; below, one column

// Head maps as large as the height of what stands beside them allows; on a narrow screen below it.
export function arrange(app) {
  app.arranging = 0;
  if (!app.a.capture || !app.dom.tile) return;
  const narrow = app.root.clientWidth < NARROW;
  if (app.narrow !== narrow) placeParts(app.dom, (app.narrow = narrow));
  app.root.classList.toggle("narrow", narrow);
  const { side, tiles, tile } = app.dom, { rows, cols } = app.a.capture;
  const above = tiles.getBoundingClientRect().top - side.getBoundingClientRect().top;
  const gap = parseFloat(getComputedStyle(tiles).columnGap) || 8;
  const foot = tile[0].button.offsetHeight - tile[0].map.offsetHeight || 26;
  const { pictures, queryLine, controls } = app.dom;
  const room = app.b ? controls.offsetHeight : pictures.offsetHeight + queryLine.offsetHeight;
  const height = narrow ? 0 : room - above;
  const ratio = app.b ? 2 * (cols / rows) : cols / rows;
  const wide = app.b ? { smallest: 110, comfortable: 150 } : {};
  const columns = tileColumns({ count: tile.length, width: tiles.clientWidth, height, ratio, gap, foot, ...wide });
  app.root.style.setProperty("--columns", columns);
}

// ratio: width to height of a map; foot: pixels of lettering below each. Without a height, as many as fit comfortably.
export function tileColumns({ count, width, height, ratio, gap, foot, smallest = 64, comfortable = 84 }) {
  const most = Math.max(1, Math.floor((width + gap) / ((height ? smallest : comfortable) + gap)));
  if (!height) return Math.min(count, most);
  for (let columns = 1; columns < Math.min(count, most); columns++) {
    const tile = (width - gap * (columns - 1)) / columns;
    const lines = Math.ceil(count / columns);
    if (lines * (tile / ratio + foot) + gap * (lines - 1) <= height) return columns;
  }
  return Math.min(count, most);
}
