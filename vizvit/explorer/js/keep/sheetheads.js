// The heads on a sheet: as large as the place beside the picture allows, or in even rows below several pictures.

import { rounded } from "../draw/numbers.js";
import { SHEET_LETTERS, sheetHeight, sheetLines, sheetWidth, xmlText } from "./lettering.js";
import { sheetImage, sheetQuery } from "./sheetmarks.js";

const TILE = { gap: 14, least: 40, comfortable: 96, largest: 172 };

// height: of the picture and its colour bar, to be filled; 0 for a block below pictures. Returns { svg, width, height }.
export function sheetHeads({ tiles = [], tilesTitle, tilesNote, accent }, picture, width, height, letters) {
  if (!tiles.length) return { svg: "", width: 0, height: 0 };
  const ratio = picture ? picture.cols / picture.rows : 1, title = tilesTitle || tilesNote ? SHEET_LETTERS.label : 0;
  const head = title ? sheetHeight([""], title) + 8 : 0, line = sheetHeight([""], SHEET_LETTERS.small);
  const { columns, side } = tileGrid(tiles.length, ratio, width, height && height - head - line, line + 4);
  const across = columns * (side + TILE.gap) - TILE.gap, tall = side / ratio;
  const svg = title ? [titleLine(tilesTitle ?? "", tilesNote ?? "", across, letters)] : [];
  let y = head;
  for (let first = 0; first < tiles.length; first += columns) {
    const row = tiles.slice(first, first + columns).map((tile) => ({ ...tile, lines: nameLines(tile, side) }));
    row.forEach((tile, column) => svg.push(sheetTile(tile, column * (side + TILE.gap), y, side, tall, picture, accent, letters)));
    y += tall + 4 + Math.max(...row.map(({ lines }) => sheetHeight(lines, SHEET_LETTERS.small))) + TILE.gap;
  }
  return { svg: svg.join("\n"), width: across, height: y - TILE.gap };
}

// How many columns make the tiles largest; without a height, as many as are comfortable, in rows as even as can be.
function tileGrid(count, ratio, width, height, foot) {
  const root = Math.sqrt(ratio), widest = TILE.largest * Math.min(Math.max(1, root), ratio * Math.max(1, 1 / root));
  const within = (columns) => Math.min((width - TILE.gap * (columns - 1)) / columns, widest);
  let best = { columns: 1, side: 0 };
  for (let columns = 1; height && columns <= count; columns++) {
    const rows = Math.ceil(count / columns), tall = (height - TILE.gap * (rows - 1)) / rows - foot;
    const side = Math.min(within(columns), tall * ratio);
    if (side > best.side) best = { columns, side };
  }
  if (best.side / root > TILE.least) return best;
  const most = Math.floor((width + TILE.gap) / (TILE.comfortable * Math.min(1, root) + TILE.gap));
  const columns = Math.ceil(count / Math.ceil(count / Math.min(count, Math.max(1, most))));
  return { columns, side: within(columns) };
}

// What the heads are to the left; what the small numbers are to the right, above them.
function titleLine(title, note, width, letters) {
  const room = width - sheetWidth(title, SHEET_LETTERS.label, true) - 16;
  const fits = note && sheetWidth(note, SHEET_LETTERS.small) <= room;
  return letters.line(0, 0, title, SHEET_LETTERS.label, "label")
    + (fits ? letters.line(rounded(width), 2, note, SHEET_LETTERS.small, "quiet", "end") : "");
}

function nameLines({ name, share, chosen }, side) {
  const right = share ? sheetWidth(share, SHEET_LETTERS.small) + 8 : 0;
  return sheetLines(name || " ", Math.max(24, side - right), SHEET_LETTERS.small, chosen).slice(0, 2);
}

function sheetTile({ lines, share, image, chosen }, x, y, side, tall, picture, accent, letters) {
  const parts = [sheetImage(image, side, tall, true)];
  if (picture) {
    const cell = [side / picture.cols, tall / picture.rows];
    parts.push(...sheetQuery(picture.query ?? [], cell, accent, true));
  }
  if (chosen) {
    parts.push(`<rect x="-2.5" y="-2.5" width="${rounded(side + 5)}" height="${rounded(tall + 5)}" rx="2" fill="none" `
      + `stroke="${xmlText(accent)}" stroke-width="2.5"/>`);
  }
  parts.push(letters.block(0, tall + 4, lines, SHEET_LETTERS.small, chosen ? "label" : "body").svg);
  if (share) parts.push(letters.line(rounded(side), tall + 4, share, SHEET_LETTERS.small, "quiet", "end"));
  return `<g transform="translate(${rounded(x)} ${rounded(y)})">${parts.join("")}</g>`;
}
