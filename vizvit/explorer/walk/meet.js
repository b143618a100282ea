// A query meets a key: on the picture the patch that looks and, under the pointer, the one that is looked at; beside it
// what both hold, their products added up dimension by dimension, and what becomes of the sum.

import { attentionRows, peakOf } from "../js/compute/attention.js";
import { decodeLayer, readPayload } from "../js/compute/payload.js";
import { paintMap } from "../js/draw/colour.js";
import { percentExact, plain } from "../js/draw/numbers.js";
import { giveRings, patchBeside, patchUnder, placePatch } from "./patches.js";
import { meeting, strongest } from "./products.js";

const THREADS = 8, HIGHEST = 100; // the strongest connections that are drawn; the height of the sums' drawing
const meets = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let meet = meets.get(parentElement);
  if (!meet) {
    meet = build(parentElement);
    meets.set(parentElement, meet);
  }
  const { session, capture, sections, colours } = readPayload(data), [first] = sections.values();
  const asked = `${session.layer} ${session.head} ${session.token}`;
  Object.assign(meet, { session, capture, send: setTriggerValue, layer: decodeLayer(capture, first), grid: { rows: capture.rows, cols: capture.cols } });
  meet.row = attentionRows(meet.layer, session.token);
  meet.colours = colours.viridis.map((colour, index) => ((50 + 0.72 * index) << 24 | (colour & 0xffffff)) >>> 0);
  if (meet.asked !== asked) meet.key = peakOf(meet.row, session.prefix.length); // begin with the patch that gets most
  meet.asked = asked;
  drawPicture(meet);
  drawKey(meet);
  meet.frame.dataset.ready = asked;
}

function build(parentElement) {
  const frame = parentElement.querySelector(".meet"), meet = { frame };
  giveRings(frame);
  for (const part of ["photo", "image", "heat", "threads", "chosen", "under", "prefix", "title", "follow", "query", "strip", "sums", "reading", "steps"])
    meet[part] = frame.querySelector(`.${part}`);
  const look = (patch) => lookAt(meet, meet.session.prefix.length + patch[0] * meet.grid.cols + patch[1]);
  const under = (event) => patchUnder(event, meet.image, meet.grid);
  meet.photo.addEventListener("pointermove", (event) => look(under(event)));
  meet.photo.addEventListener("click", (event) => {
    look(under(event));
    if (event.pointerType !== "touch") follow(meet); // a finger looks first, and follows by the button
  });
  meet.photo.addEventListener("keydown", (event) => {
    if (event.key === "Enter") return follow(meet);
    const patch = patchBeside(event, patchOf(meet, meet.key) ?? [0, 0], meet.grid);
    if (!patch) return;
    event.preventDefault();
    look(patch);
  });
  meet.follow.addEventListener("click", () => follow(meet));
  for (const drawn of [meet.query, meet.strip, meet.sums]) drawn.addEventListener("pointermove", (event) => read(meet, event));
  return meet;
}

function lookAt(meet, key) {
  if (key === meet.key) return;
  meet.key = key;
  drawKey(meet);
}

function follow(meet) {
  if (!meet.session.fixed && meet.key !== meet.session.token) meet.send("choose", { token: meet.key });
}

function patchOf(meet, token) {
  const place = token - meet.session.prefix.length;
  return place < 0 ? null : [Math.floor(place / meet.grid.cols), place % meet.grid.cols];
}

function nameOf(meet, token) {
  const patch = patchOf(meet, token), { words, prefix } = meet.session;
  return patch ? words.patch.replace("{row}", patch[0]).replace("{col}", patch[1]) : prefix[token];
}

function drawPicture(meet) {
  const { session, grid, row } = meet, { words, prefix, mode } = session;
  if (meet.image.getAttribute("src") !== session.image) meet.image.src = session.image;
  meet.frame.dataset.mode = mode;
  meet.photo.setAttribute("aria-label", words.picture);
  mark(meet.chosen, patchOf(meet, session.token), grid);
  const most = Math.max(...row.subarray(prefix.length)) || 1;
  paintMap(meet.heat, { row, first: prefix.length, count: grid.rows * grid.cols }, grid.rows, grid.cols, { low: 0, high: most, log: false }, meet.colours);
  const from = placeOf(meet, session.token), strong = strongest(row, THREADS), widest = row[strong[0]] || 1;
  meet.threads.setAttribute("viewBox", `0 0 ${grid.cols} ${grid.rows}`);
  meet.threads.innerHTML = strong.filter((token) => token !== session.token).map((token) => {
    const [x, y] = placeOf(meet, token);
    return `<line x1="${from[0]}" y1="${from[1]}" x2="${x}" y2="${y}" stroke-width="${(0.6 + (5 * row[token]) / widest).toFixed(2)}"/>`;
  }).join("");
  meet.prefix.replaceChildren(...prefix.map((name, token) => {
    const button = document.createElement("button");
    button.textContent = name;
    button.dataset.token = token;
    for (const over of ["pointerenter", "focus", "click"]) button.addEventListener(over, () => lookAt(meet, token));
    return button;
  }));
}

// The middle of a patch, in patches; tokens without a place begin at the lower left, where their names stand.
function placeOf(meet, token) {
  const patch = patchOf(meet, token);
  return patch ? [patch[1] + 0.5, patch[0] + 0.5] : [0, meet.grid.rows];
}

function mark(element, patch, grid) {
  element.hidden = !patch;
  if (patch) placePatch(element, patch, grid);
}

function drawKey(meet) {
  const { session, key, grid } = meet, { words, token, mode } = session;
  const terms = (meet.terms = meeting(meet.layer, 0, token, key));
  mark(meet.under, patchOf(meet, key), grid);
  for (const button of meet.prefix.children) button.classList.toggle("looked", Number(button.dataset.token) === key);
  meet.title.textContent = words.title.replace("{query}", nameOf(meet, token)).replace("{key}", nameOf(meet, key));
  meet.follow.textContent = words.follow;
  meet.follow.hidden = session.fixed;
  meet.follow.disabled = key === token;
  const high = Math.max(...terms.query.map(Math.abs), ...terms.key.map(Math.abs)) || 1;
  meet.query.innerHTML = strip(terms.query, high);
  meet.strip.innerHTML = strip(terms.key, high);
  meet.frame.querySelector(".query_name").textContent = words.query;
  meet.frame.querySelector(".key_name").textContent = words.key;
  meet.frame.querySelector(".sums_name").textContent = words.sums;
  meet.reading.textContent = words.hint;
  Object.assign(meet.frame.dataset, { key, attention: terms.attention, product: terms.product });
  if (mode !== "scores") return;
  meet.sums.innerHTML = waterfall(terms);
  meet.steps.replaceChildren(...stepsOf(meet, terms).map(([what, value, kind = ""]) => {
    const step = document.createElement("div"), name = document.createElement("dt"), number = document.createElement("dd");
    step.className = kind;
    name.textContent = what;
    number.textContent = value;
    step.append(name, number);
    return step;
  }));
}

function stepsOf({ session, layer }, terms) {
  const { words, tokens } = session, root = Math.abs(terms.scale * Math.sqrt(layer.dim) - 1) < 1e-6;
  return [
    [words.product, plain(terms.product)],
    [root ? `÷ √${layer.dim}` : `× ${plain(terms.scale)}`, plain(terms.scaled)],
    ...(layer.bias ? [[words.bias, plain(terms.score)]] : []),
    [words.exponential, plain(terms.exponential)],
    [words.sum.replace("{tokens}", tokens), plain(terms.sum)],
    [words.share, percentExact(terms.attention), "result"],
  ];
}

// Signed numbers as columns up and down from the middle.
function strip(values, high) {
  const step = 100 / values.length;
  const columns = [...values].map((value, index) => {
    const size = (50 * Math.abs(value)) / high;
    return `<rect class="${value < 0 ? "less" : ""}" x="${(index * step).toFixed(3)}%" width="${(step * 0.82).toFixed(3)}%" y="${(value < 0 ? 50 : 50 - size).toFixed(2)}%" height="${size.toFixed(2)}%"/>`;
  });
  return `<line x1="0" x2="100%" y1="50%" y2="50%"/>${columns.join("")}`;
}

// Each product begins where the sum of those before it ended: the last one ends at q·k.
function waterfall({ products, sums }) {
  const low = Math.min(0, ...sums), high = Math.max(0, ...sums), room = HIGHEST / (high - low || 1), step = 100 / sums.length;
  const down = (value) => HIGHEST - (value - low) * room;
  const columns = [...sums].map((sum, index) => {
    const top = Math.max(sum, sum - products[index]);
    return `<rect class="${products[index] < 0 ? "less" : ""}" x="${(index * step).toFixed(3)}%" width="${(step * 0.82).toFixed(3)}%" y="${down(top).toFixed(2)}%" height="${(Math.abs(products[index]) * room).toFixed(2)}%"/>`;
  });
  const end = down(sums.at(-1)).toFixed(2);
  return `<line x1="0" x2="100%" y1="${down(0).toFixed(2)}%" y2="${down(0).toFixed(2)}%"/>${columns.join("")}<line class="end" x1="0" x2="100%" y1="${end}%" y2="${end}%"/>`;
}

function read(meet, event) {
  const { query, key, products, sums } = meet.terms, box = event.currentTarget.getBoundingClientRect();
  const index = Math.min(Math.max(Math.floor(((event.clientX - box.left) / box.width) * query.length), 0), query.length - 1);
  const numbers = { index, query: plain(query[index], 3), key: plain(key[index], 3), product: plain(products[index], 3), sum: plain(sums[index], 3) };
  meet.reading.textContent = meet.session.words.reading.replace(/\{(\w+)\}/g, (_, name) => numbers[name]);
}
