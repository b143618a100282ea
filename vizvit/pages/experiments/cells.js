// A picture whose grid cells are switched on and off: a click, Enter or Space switches one, a dragged mouse paints.
// Row -1 holds the labels above the columns. Only a settled choice goes to Python.

import { clamp, giveRings, patchBeside } from "../../explorer/walk/patches.js";

const SETTLES = 350; // ms without another switch before Python hears of it
const CROWDED = 14; // columns from which every other label is written
const boards = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let board = boards.get(parentElement);
  if (!board) {
    board = build(parentElement.querySelector(".cells"));
    boards.set(parentElement, board);
  }
  Object.assign(board, { data, setTriggerValue });
  board.image.src = data.image;
  board.root.style.setProperty("--widest", `${data.widest}px`);
  board.root.dataset.crowded = data.cols > CROWDED;
  board.root.dataset.labels = data.labels.length > 0;
  board.grid.setAttribute("aria-label", data.alt);
  lay(board);
  if (data.turn >= board.turn) [board.on, board.turn] = [data.cells.map(String), data.turn]; // else: switched since
  draw(board);
  board.root.dataset.ready = "true";
}

function build(root) {
  const board = { root, on: [], turn: -1, here: [0, 0], elements: new Map(), shape: "" };
  for (const part of ["image", "grid", "words"]) board[part] = root.querySelector(`.${part}`);
  giveRings(root);
  const { grid } = board;
  grid.addEventListener("pointerdown", (event) => {
    const cell = under(event);
    board.pressed = false;
    if (!cell || event.button || event.pointerType === "touch") return; // a finger scrolls; its click switches
    board.pressed = true;
    board.painting = { on: !board.on.includes(String(cell)), label: cell[0] < 0 };
    step(board, cell);
  });
  grid.addEventListener("pointerover", (event) => {
    const cell = under(event);
    if (!(event.buttons & 1)) board.painting = null;
    if (!cell) return;
    if (board.painting && board.painting.label === cell[0] < 0) step(board, cell);
    else say(board, cell);
  });
  grid.addEventListener("pointerleave", () => say(board, null));
  grid.addEventListener("click", (event) => {
    const cell = under(event);
    if (cell && !board.pressed) switchCell(board, cell, !board.on.includes(String(cell)));
    board.pressed = false;
  });
  grid.addEventListener("keydown", (event) => walk(board, event));
  return board;
}

function step(board, cell) {
  switchCell(board, cell, board.painting.on);
}

function walk(board, event) {
  const beside = patchBeside(event, board.here, board.data, board.data.labels.length ? -1 : 0);
  if (beside) {
    board.here = beside;
    draw(board);
    say(board, board.here);
  } else if (event.key === " " || event.key === "Enter") {
    switchCell(board, board.here, !board.on.includes(String(board.here)));
  } else {
    return;
  }
  event.preventDefault();
}

function switchCell(board, cell, on) {
  const name = String(cell);
  board.here = cell;
  if (board.on.includes(name) !== on) {
    board.on = board.on.filter((other) => other !== name);
    if (on) board.on.push(name);
    if (board.data.most) board.on = board.on.slice(-board.data.most);
    board.turn += 1;
    clearTimeout(board.timer);
    board.timer = setTimeout(() => settle(board), SETTLES);
  }
  draw(board);
  say(board, cell);
}

function settle(board) {
  const cells = board.on.map((name) => name.split(",").map(Number));
  board.setTriggerValue("settled", { cells, turn: board.turn });
}

// One element a cell, made anew where the grid has another shape.
function lay(board) {
  const { rows, cols, labels } = board.data;
  const shape = `${rows} ${cols} ${labels.join(" ")}`;
  if (board.shape === shape) return;
  board.shape = shape;
  board.elements.clear();
  const lines = [];
  const band = labels.length ? "1.6rem" : "0px";
  board.image.style.paddingTop = band;
  for (let row = labels.length ? -1 : 0; row < rows; row++) {
    const line = part("row", "row");
    line.style.top = row < 0 ? 0 : `calc(${band} + (100% - ${band}) * ${row / rows})`;
    line.style.height = row < 0 ? band : `calc((100% - ${band}) / ${rows})`;
    for (let col = 0; col < cols; col++) {
      const cell = part(row < 0 ? "cell label" : "cell", row < 0 ? "columnheader" : "gridcell");
      cell.dataset.cell = `${row},${col}`;
      cell.id = `cell-${row}-${col}`;
      if (row < 0) cell.textContent = cols > CROWDED && col % 2 ? "" : labels[col];
      board.elements.set(`${row},${col}`, cell);
      line.append(cell);
    }
    lines.push(line);
  }
  board.grid.replaceChildren(...lines);
  board.here = [clamp(board.here[0], 0, rows - 1), clamp(board.here[1], 0, cols - 1)];
}

function draw(board) {
  const on = new Set(board.on);
  const here = String(board.here);
  for (const [name, cell] of board.elements) {
    const [row, col] = name.split(",").map(Number);
    const below = row >= 0 && on.has(`-1,${col}`);
    cell.classList.toggle("on", on.has(name) || below);
    cell.classList.toggle("here", name === here);
    cell.setAttribute("aria-selected", on.has(name));
    cell.setAttribute("aria-label", nameOf(board, [row, col], on.has(name)));
  }
  board.grid.setAttribute("aria-activedescendant", board.elements.get(here)?.id ?? "");
  if (!board.said) board.words.textContent = board.data.words.hint;
}

function say(board, cell) {
  board.said = cell;
  board.words.textContent = cell ? nameOf(board, cell, board.on.includes(String(cell))) : board.data.words.hint;
}

function nameOf({ data: { words } }, [row, col], on) {
  const template = row < 0 ? (on ? words.label_on : words.label) : on ? words.on : words.cell;
  return template.replace("{row}", row).replace("{col}", col);
}

function under(event) {
  const name = event.target.closest?.(".cell")?.dataset.cell;
  return name ? name.split(",").map(Number) : null;
}

function part(classes, role) {
  const element = document.createElement("div");
  element.className = classes;
  element.setAttribute("role", role);
  return element;
}
