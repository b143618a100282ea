// The controls of a place: the picture with its patches, prefix tokens beside it, layers and heads.

import { gridPath } from "../js/draw/outline.js";
import { giveRings, patchBeside, patchUnder, placePatch } from "./patches.js";

const places = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let place = places.get(parentElement);
  if (!place) {
    place = build(parentElement);
    places.set(parentElement, place);
  }
  Object.assign(place, { data, send: setTriggerValue, patch: data.patch, token: data.token });
  draw(place);
}

function build(parentElement) {
  const frame = parentElement.querySelector(".place");
  const place = { frame };
  giveRings(frame);
  for (const part of ["photo", "image", "cells", "lines", "chosen", "under", "token_row", "layer_row", "head_row", "found"])
    place[part] = frame.querySelector(`.${part}`);
  place.photo.addEventListener("pointermove", (event) => mark(place, place.under, patchUnder(event, place.image, place.data)));
  place.photo.addEventListener("pointerleave", () => (place.under.hidden = true));
  place.photo.addEventListener("click", (event) => choosePatch(place, patchUnder(event, place.image, place.data)));
  place.photo.addEventListener("keydown", (event) => {
    const patch = patchBeside(event, place.patch, place.data);
    if (!patch) return;
    event.preventDefault();
    choosePatch(place, patch);
  });
  return place;
}

function draw(place) {
  const { data } = place;
  const { rows, cols, words } = data;
  if (place.image.getAttribute("src") !== data.image) place.image.src = data.image;
  place.image.alt = words.picture;
  place.photo.setAttribute("aria-label", words.picture);
  place.lines.setAttribute("viewBox", `0 0 ${cols} ${rows}`);
  place.lines.firstElementChild.setAttribute("d", gridPath(rows, cols));
  place.under.hidden = true;
  place.photo.hidden = !data.uses.includes("patch") && !data.uses.includes("cut");
  place.frame.classList.toggle("cut", data.uses.includes("cut"));
  if (data.uses.includes("cut")) cut(place);
  drawToken(place);
  const layers = [...Array(data.layers).keys()].map((i) => [i, String(i)]);
  const heads = [...Array(data.heads).keys()].map((i) => [i, String(i)]);
  choices(place, place.layer_row, words.layer, layers, data.layer, (value) => place.send("choose", { layer: value }));
  choices(place, place.head_row, words.head, heads, data.head, (value) => place.send("choose", { head: value }));
  place.layer_row.hidden = !data.uses.includes("layer");
  place.found.textContent = data.found;
  place.found.hidden = !data.found;
  place.head_row.hidden = !data.uses.includes("head");
  Object.assign(place.frame.dataset, { token: data.token, layer: data.layer, head: data.head });
}

// The picture as single patches with gaps between; the one under the pointer is lifted.
function cut(place) {
  const { rows, cols, image } = place.data;
  if (place.cells.dataset.image === image) return;
  place.cells.dataset.image = image;
  place.cells.style.cssText = `--cols:${cols};--rows:${rows};--image:url(${image})`;
  place.cells.replaceChildren(...[...Array(rows * cols).keys()].map((index) => {
    const cell = document.createElement("i");
    const x = (100 * (index % cols)) / Math.max(cols - 1, 1);
    const y = (100 * Math.floor(index / cols)) / Math.max(rows - 1, 1);
    cell.style.backgroundPosition = `${x}% ${y}%`;
    return cell;
  }));
}

function drawToken(place) {
  const { data, token, patch } = place;
  const prefix = data.uses.includes("prefix") ? data.prefix : [];
  mark(place, place.chosen, patch);
  place.chosen.classList.toggle("resting", token < data.prefix.length);
  const options = [[first(place), data.words.patch.replace("{row}", patch[0]).replace("{col}", patch[1])]];
  prefix.forEach((name, index) => options.push([index, name]));
  choices(place, place.token_row, data.words.query, options, token, (value) => chooseToken(place, value));
}

function first(place) {
  return place.data.prefix.length + place.patch[0] * place.data.cols + place.patch[1];
}

// Where nobody can move on, only what is chosen stands there.
function choices({ data: { fixed } }, row, name, all, chosen, choose) {
  const options = fixed ? all.filter(([value]) => value === chosen) : all;
  row.querySelector(".name").textContent = name;
  const box = row.querySelector(".choices");
  box.setAttribute("role", "radiogroup");
  box.setAttribute("aria-label", name);
  const old = box.contains(box.getRootNode().activeElement);
  box.replaceChildren(...options.map(([value, text]) => {
    const button = document.createElement("button");
    button.textContent = text;
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(value === chosen));
    button.tabIndex = value === chosen ? 0 : -1;
    button.disabled = fixed;
    button.addEventListener("click", () => value !== chosen && choose(value));
    return button;
  }));
  if (old) box.querySelector("[aria-checked=true]")?.focus();
  box.onkeydown = (event) => {
    const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = options.findIndex(([value]) => value === chosen) + step;
    if (options[at]) choose(options[at][0]);
  };
}

function choosePatch(place, cell) {
  if (place.data.fixed) return;
  const token = place.data.prefix.length + cell[0] * place.data.cols + cell[1];
  place.patch = cell;
  chooseToken(place, token);
}

function chooseToken(place, token) {
  if (token === place.token) return;
  place.token = token;
  drawToken(place);
  clearTimeout(place.timer); // walking with the arrow keys settles before Python hears of it
  place.timer = setTimeout(() => place.send("choose", { token }), 80);
}

function mark(place, element, patch) {
  element.hidden = false;
  placePatch(element, patch, place.data);
}
