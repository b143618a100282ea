// What a sheet is drawn with besides text: pictures, patch grids and outlines of patches.

import { MARKS, SMALL, strokesOf } from "../draw/marking.js";
import { rounded } from "../draw/numbers.js";
import { gridFade, gridPath, rectOf } from "../draw/outline.js";
import { xmlText } from "./lettering.js";

// saturation: how much of its colour is left, 0 to 1.
export function sheetImage(source, width, height, pixelated, saturation = 1) {
  const name = `saturation-${Math.round(1000 * saturation)}`, plain = saturation === 1;
  const filter = plain ? "" : `<filter id="${name}" color-interpolation-filters="sRGB"><feColorMatrix type="saturate" values="${rounded(saturation)}"/></filter>`;
  const sharp = pixelated ? ' style="image-rendering:pixelated"' : "";
  return `${filter}<image href="${xmlText(source)}" width="${rounded(width)}" height="${rounded(height)}" preserveAspectRatio="none"${plain ? "" : ` filter="url(#${name})"`}${sharp}/>`;
}

export function sheetGrid(rows, cols, cell) {
  return `<path d="${gridPath(rows, cols, cell)}" fill="none" stroke="#fff" stroke-opacity="${rounded(gridFade(cols))}"/>`;
}

// The query's outline, on a picture or, `small`, on a head's map; the accent is the theme's colour, for which a file has no name.
export function sheetQuery(areas, cell, accent, small = false) {
  const look = { ...(small ? SMALL : MARKS).query, colour: accent };
  return areas.map((area) => outlineOf(area, cell, look));
}

// The most attended patch, in white dashes.
export function sheetPeak([row, col], cell) {
  return outlineOf([row, col, 1, 1], cell, MARKS.peak);
}

// Artefact tokens, or what stands out in a rollout; mark: one of MARKS.
export function sheetMarked(areas, cell, mark = MARKS.artefact) {
  return areas.map((area) => outlineOf(area, cell, mark));
}

function outlineOf(area, cell, look) {
  const { x, y, width, height } = rectOf(area, cell);
  const box = `<rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(width)}" height="${rounded(height)}" fill="none"`;
  return strokesOf(look).map((stroke) => box
    + Object.entries(stroke).map(([name, value]) => ` ${name}="${xmlText(String(value))}"`).join("") + "/>").join("");
}
