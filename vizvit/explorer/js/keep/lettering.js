// Text on a sheet: how wide it is, where it breaks, and how it is written in SVG.

const SHEET_LEADING = 1.42;
export const SHEET_LETTERS = { title: 22, label: 15, body: 14, small: 12.5 }; // pixels
let ruler = null; // a canvas's context and the letters that it measures

// From here on text is measured in this font family, where there is a page to do so.
export function letterIn(font) {
  const context = globalThis.document?.createElement("canvas").getContext("2d");
  ruler = context ? { context, font } : null;
}

// How many pixels a line takes; without a page about as many as in a wide sans-serif.
export function sheetWidth(text, size, bold = false) {
  if (ruler) {
    ruler.context.font = `${bold ? 600 : 400} ${size}px ${ruler.font}`;
    return ruler.context.measureText(text).width;
  }
  let ems = 0;
  for (const letter of text) ems += letterWidth(letter);
  return ems * size * (bold ? 1.06 : 1);
}

function letterWidth(letter) {
  if (isWideLetter(letter)) return 1;
  if (/[\s.,:;'|!ijlIftr()[\]·]/.test(letter)) return 0.34;
  if (/[mwMW%@…—]/.test(letter)) return 0.92;
  return /[A-Z]/.test(letter) ? 0.68 : 0.6;
}

// Letters of Chinese, Japanese and Korean fill a square, and lines may break between them.
function isWideLetter(letter) {
  return /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(letter);
}

// The text in lines of at most this width. A word that is wider is broken; a full stop never begins a line.
export function sheetLines(text, width, size, bold = false) {
  const lines = [];
  for (const paragraph of String(text).split(/\r?\n/)) {
    let line = "";
    for (const piece of piecesOf(paragraph)) {
      const longer = line + piece;
      if (sheetWidth(longer.trimEnd(), size, bold) <= width) line = longer;
      else {
        if (line.trim()) lines.push(line.trimEnd());
        line = piece.trimStart();
        while (sheetWidth(line.trimEnd(), size, bold) > width && line.length > 1) {
          const fits = lettersThatFit(line, width, size, bold);
          lines.push(line.slice(0, fits));
          line = line.slice(fits);
        }
      }
    }
    if (line.trim()) lines.push(line.trimEnd());
  }
  return lines;
}

function lettersThatFit(line, width, size, bold) {
  let fits = 0;
  for (const letter of line) {
    if (fits && sheetWidth(line.slice(0, fits + letter.length), size, bold) > width) break;
    fits += letter.length;
  }
  return fits;
}

// Words with the blanks after them; a wide letter with the punctuation that must not leave it.
function piecesOf(paragraph) {
  const pieces = [];
  for (const letter of paragraph) {
    const last = pieces.length ? pieces.at(-1) : "";
    const joins = /[、。，．）」』】〕・：；！？ー%]/.test(letter) || /[（「『【〔]$/.test(last)
      || (!isWideLetter(letter) && last && !isWideLetter([...last].at(-1)) && (/\s/.test(letter) || !/\s$/.test(last)));
    if (last && joins) pieces[pieces.length - 1] += letter;
    else pieces.push(letter);
  }
  return pieces;
}

export function sheetHeight(lines, size) {
  return lines.length * size * SHEET_LEADING;
}

// One line by the top of its line box.
export function sheetText(x, y, text, { size, fill, weight = 400, anchor = "start" }) {
  const place = anchor === "start" ? "" : ` text-anchor="${anchor}"`, bold = weight === 400 ? "" : ` font-weight="${weight}"`;
  const base = Number((y + size * (SHEET_LEADING - 1) / 2 + size * 0.86).toFixed(3));
  return `<text x="${x}" y="${base}" font-size="${size}" fill="${xmlText(fill)}"${bold}${place}>${xmlText(text)}</text>`;
}

// Text as XML may hold it.
export function xmlText(text) {
  const named = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  // eslint-disable-next-line no-control-regex -- those are what XML has no place for
  return String(text ?? "").replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "").replace(/[&<>"]/g, (letter) => named[letter]);
}
