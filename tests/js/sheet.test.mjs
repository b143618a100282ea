import assert from "node:assert/strict";
import { test } from "node:test";
import { sheetLines, sheetWidth, xmlText } from "../../vizvit/explorer/js/keep/lettering.js";
import { composeSheet } from "../../vizvit/explorer/js/keep/sheet.js";

const PHOTO = "data:image/png;base64,AAAA", MAP = "data:image/png;base64,BBBB";
const picture = {
  label: "", photo: PHOTO, overlay: MAP, saturation: 0.4, smooth: false, pixelated: false, width: 224, height: 224,
  cover: { width: 1, height: 1 }, rows: 14, cols: 14, gridLines: true, query: [[3, 5, 1, 1]], peak: [0, 13], badge: "",
};
const legend = {
  low: "0", high: "9.0 %", ticks: [{ at: 0.5, text: "4.5 %" }, { at: 0.97, text: "8.7 %" }], colours: ["#000", "#888", "#fff"],
  text: "attention, each map scaled to its own maximum",
};
const tiles = Array.from({ length: 13 }, (_, i) => ({ name: i ? String(i - 1) : "mean of heads", share: "1.2 %", image: MAP, chosen: !i }));
const look = { ink: "#111", paper: "#fff", quiet: "#777", accent: "#d81b60", font: 'system-ui, "Noto Sans"' };
const parts = { title: "Layer 4", caption: ["a sentence", "cat.jpg"], pictures: [picture], legend, tiles, tilesTitle: "heads", ...look };
const compose = (values = {}) => composeSheet({ ...parts, ...values });
const count = (svg, what) => svg.split(what).length - 1;
const textOf = (svg) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((found) => found[1]);

// Every element closed, in order; nothing that is not a number where a number belongs.
function wellFormed(svg) {
  const open = [];
  for (const [, end, name, rest] of svg.matchAll(/<(\/?)([a-zA-Z]+)((?:[^<>"]|"[^"<]*")*)>/g)) {
    if (end) assert.equal(open.pop(), name);
    else if (!rest.endsWith("/")) open.push(name);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(svg, /NaN|undefined|null|Infinity/);
}

// Where each text and picture ends must lie on the sheet.
function withinTheSheet({ svg, width, height }) {
  const at = [[0, 0]];
  for (const [whole, x, y] of svg.matchAll(/<g transform="translate\(([\d.-]+) ([\d.-]+)\)">|<\/g>|<(?:image|rect|text)[^>]*>/g)) {
    if (whole.startsWith("<g")) at.push([at.at(-1)[0] + Number(x), at.at(-1)[1] + Number(y)]);
    else if (whole === "</g>") at.pop();
    else {
      const value = (name) => Number(whole.match(new RegExp(` ${name}="([\\d.-]+)"`))?.[1] ?? 0);
      assert.ok(at.at(-1)[0] + value("x") + value("width") <= width, whole.slice(0, 200));
      assert.ok(at.at(-1)[1] + value("y") + value("height") <= height, whole.slice(0, 200));
    }
  }
}

test("one picture with its heads beside", () => {
  const sheet = compose();
  wellFormed(sheet.svg);
  withinTheSheet(sheet);
  assert.ok(sheet.width > sheet.height, "heads stand beside the picture");
  assert.equal(count(sheet.svg, PHOTO), 1);
  assert.equal(count(sheet.svg, MAP), 14);
  assert.equal(count(sheet.svg, "image-rendering:pixelated"), 14);
  assert.equal(count(sheet.svg, 'type="saturate" values="0.4"'), 1);
  for (const words of ["Layer 4", "a sentence", "cat.jpg", "heads", "11", "1.2 %", "0", "9.0 %", "4.5 %"]) {
    assert.ok(textOf(sheet.svg).includes(words), words);
  }
});

test("several pictures side by side with the heads below", () => {
  for (const pictures of [[picture, picture], [picture, picture, picture]]) {
    const sheet = compose({ pictures: pictures.map((one, i) => ({ ...one, label: `picture ${i}` })) });
    wellFormed(sheet.svg);
    withinTheSheet(sheet);
    assert.equal(count(sheet.svg, PHOTO), pictures.length);
    assert.ok(textOf(sheet.svg).includes(`picture ${pictures.length - 1}`));
  }
});

test("what is not there leaves no trace", () => {
  const bare = { title: "", caption: [], pictures: [{ ...picture, overlay: null, query: [], peak: null, gridLines: false }], ...look };
  const sheet = composeSheet(bare);
  wellFormed(sheet.svg);
  withinTheSheet(sheet);
  assert.deepEqual(textOf(sheet.svg), []);
  assert.equal(count(sheet.svg, "<image"), 1);
  assert.equal(count(sheet.svg, "<rect"), 1); // the paper
  wellFormed(composeSheet(look).svg);
});

test("any number of heads, any shape of picture", () => {
  for (const heads of [1, 2, 5, 17, 65]) {
    for (const [rows, cols] of [[14, 14], [6, 10], [40, 4], [4, 60]]) {
      const sheet = compose({
        pictures: [{ ...picture, rows, cols, width: cols * 16, height: rows * 16, query: [[1, 1, 2, 2]] }],
        tiles: Array.from({ length: heads }, () => tiles[1]),
      });
      wellFormed(sheet.svg);
      withinTheSheet(sheet);
      assert.ok(sheet.width < 1400 && sheet.height < 2400, `${heads} heads, ${rows} × ${cols}: ${sheet.width} × ${sheet.height}`);
    }
  }
});

test("outlines are lines at their patches, also where patches do not cover the picture", () => {
  const { svg } = compose({ pictures: [{ ...picture, cover: { width: 0.5, height: 1 }, query: [[2, 1, 3, 4]], peak: null }], tiles: [] });
  const cell = [540 * 0.5 / 14, 540 / 14].map((value) => Number(value.toFixed(3)));
  const [outline] = svg.match(/<rect[^>]*stroke="#d81b60"[^>]*>/);
  const value = (name) => Number(outline.match(new RegExp(` ${name}="([\\d.]+)"`))[1]);
  assert.deepEqual(["x", "y", "width", "height"].map((name) => Math.round(value(name))),
    [cell[0], 2 * cell[1], 4 * cell[0], 3 * cell[1]].map(Math.round));
});

test("a smooth map is not drawn in squares", () => {
  assert.equal(count(compose({ pictures: [{ ...picture, smooth: true }], tiles: [] }).svg, "image-rendering"), 0);
});

test("numbers on the colour bar keep their distance", () => {
  const { svg } = compose();
  assert.ok(!textOf(svg).includes("8.7 %")); // it would touch the upper end's
  assert.equal(count(svg, "<stop "), 3);
});

test("what people wrote is text and nothing else", () => {
  const evil = '</text><script>alert("1")</script> & \u0000\u0007\ud800';
  const sheet = compose({ title: evil, caption: [evil], legend: { ...legend, text: evil }, tilesTitle: evil,
    pictures: [{ ...picture, label: evil, badge: evil }], tiles: [{ ...tiles[0], name: evil }] });
  wellFormed(sheet.svg);
  assert.equal(count(sheet.svg, "<script"), 0);
  assert.equal(xmlText('<a b="c">&\u0001'), "&lt;a b=&quot;c&quot;&gt;&amp;");
});

test("lines break at blanks, and before no full stop", () => {
  const lines = sheetLines("the quick brown fox jumps over the lazy dog", 120, 14);
  assert.equal(lines.join(" "), "the quick brown fox jumps over the lazy dog");
  assert.ok(lines.length > 1 && lines.every((line) => sheetWidth(line, 14) <= 120));
  const japanese = sheetLines("注意は四角で囲まれたパッチから、他のパッチへの softmax(q·k) です。そして「続く」。", 100, 14);
  assert.ok(japanese.length > 2 && japanese.every((line) => sheetWidth(line, 14) <= 130 && !/^[、。」）]/.test(line) && !/「$/.test(line)));
  assert.equal(japanese.join("").replace(/ /g, ""), "注意は四角で囲まれたパッチから、他のパッチへのsoftmax(q·k)です。そして「続く」。");
});

test("a word wider than the line is broken, and nothing is lost", () => {
  const word = "IMG_20240101_a_very_long_name_without_a_blank.jpg";
  const lines = sheetLines(word, 90, 14);
  assert.ok(lines.length > 2);
  assert.equal(lines.join(""), word);
  assert.deepEqual(sheetLines("", 90, 14), []);
  assert.deepEqual(sheetLines("a\nb", 90, 14), ["a", "b"]);
});
