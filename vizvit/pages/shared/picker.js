// A picture whose grid cells can be chosen: hover names one, a click or Enter chooses it, arrow keys walk.

import { giveRings, patchBeside, patchUnder, placePatch } from "../../explorer/walk/patches.js";

const pickers = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let picker = pickers.get(parentElement);
  if (!picker) {
    picker = build(parentElement);
    pickers.set(parentElement, picker);
  }
  Object.assign(picker, { data, setStateValue, cell: data.cell });
  picker.image.src = data.image;
  picker.image.alt = data.alt;
  picker.frame.setAttribute("aria-label", data.alt);
  placePatch(picker.chosen, picker.cell, picker.data);
  picker.hover.hidden = true;
  say(picker, picker.cell);
  picker.frame.dataset.ready = "true";
}

function build(parentElement) {
  const frame = parentElement.querySelector(".picker");
  const picker = { frame };
  for (const part of ["image", "chosen", "hover", "words"]) picker[part] = frame.querySelector(`.${part}`);
  giveRings(frame);
  const stage = frame.querySelector(".stage");
  stage.addEventListener("pointermove", (event) => {
    const cell = patchUnder(event, picker.image, picker.data);
    placePatch(picker.hover, cell, picker.data);
    picker.hover.hidden = false;
    say(picker, cell);
  });
  stage.addEventListener("pointerleave", () => {
    picker.hover.hidden = true;
    say(picker, picker.cell);
  });
  stage.addEventListener("click", (event) => choose(picker, patchUnder(event, picker.image, picker.data)));
  frame.addEventListener("keydown", (event) => {
    const cell = patchBeside(event, picker.cell, picker.data);
    if (!cell) return;
    event.preventDefault();
    choose(picker, cell);
  });
  return picker;
}

function choose(picker, cell) {
  if (cell[0] === picker.cell[0] && cell[1] === picker.cell[1]) return;
  picker.cell = cell;
  placePatch(picker.chosen, cell, picker.data);
  say(picker, cell);
  clearTimeout(picker.timer); // walking with the arrow keys settles before Python hears of it
  picker.timer = setTimeout(() => picker.setStateValue("cell", cell), 120);
}

function say(picker, [row, col]) {
  picker.words.textContent = picker.data.words.replace("{row}", row).replace("{col}", col);
}
