// Where things stand: the width decides about columns, the height about the size of the picture and of the head maps.

import { placeParts } from "./view.js";

const NARROW = 720; // CSS pixels; below, one column
const FINE = 16; // CSS pixels of a patch on the picture, below which its marks are thinner
const WHY = 200; // CSS pixels; where so much is free below what is read, why a number is what it is stands open
const PICTURE = { least: 260, most: 760, share: 0.54, foot: 12 }; // its sides in pixels; of the width; free below

// A picture and head maps that fit the window with what is read off them; on a narrow screen below each other.
export function arrange(app) {
  app.arranging = 0;
  if (!app.a.capture || !app.dom.tile) return;
  const { dom, root } = app, narrow = root.clientWidth < NARROW;
  if (app.narrow !== narrow) placeParts(dom, (app.narrow = narrow));
  root.classList.toggle("narrow", narrow);
  if (!narrow && !app.b) root.style.setProperty("--picture", `${pictureWidth(app)}px`);
  const { tiles, tile } = dom, { rows, cols } = app.a.capture;
  root.classList.toggle("fine", dom.figures.a.picture.clientWidth / cols < FINE);
  const gap = parseFloat(getComputedStyle(tiles).columnGap) || 8;
  const foot = tile.at(-1).button.offsetHeight - tile.at(-1).map.offsetHeight || 26;
  const height = narrow ? 0 : innerHeight - topOf(tiles) - below(dom.numbersRead) - below(dom.pinsLine) - PICTURE.foot;
  const ratio = app.b ? 2 * (cols / rows) : cols / rows;
  const wide = app.b ? { smallest: 110, comfortable: 150 } : { smallest: 58 };
  const columns = tileColumns({ count: tile.filter(({ button }) => !button.hidden).length, width: tiles.clientWidth, height: narrow ? 0 : Math.max(height, 1), ratio, gap, foot, ...wide });
  root.style.setProperty("--columns", columns);
  if (!app.offered && !narrow) offerWhy(app);
}

// Once, on a first visit: what a person opens and closes holds from then on.
function offerWhy(app) {
  app.offered = true;
  if (app.session.start !== 1 || innerHeight - topOf(app.dom.why) < WHY) return;
  app.folds.why = true;
  app.schedule();
}

// As wide as leaves room in the window for its legend and its query, in its own proportions.
function pictureWidth({ dom, root, a: { capture } }) {
  const { picture, legendBox } = dom.figures.a, { width, height } = capture.image;
  const groups = dom.queryLine.querySelectorAll(":scope > .group"), [first, last] = [groups[0], groups[groups.length - 1]];
  const under = legendBox.offsetHeight + last.offsetTop + last.offsetHeight - first.offsetTop + 18;
  const free = innerHeight - topOf(picture) - under - PICTURE.foot;
  const tall = Math.min(Math.max(free, PICTURE.least), PICTURE.most);
  return Math.round(Math.min(tall * (width / height), PICTURE.share * root.clientWidth));
}

// Where an element begins in the window when nothing is scrolled.
function topOf(node) {
  let top = node.getBoundingClientRect().top;
  for (let one = node; one; one = one.parentNode ?? one.host) top += one.scrollTop || 0;
  return top;
}

function below(node) {
  return node.hidden ? 0 : node.offsetHeight + parseFloat(getComputedStyle(node).marginTop);
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
