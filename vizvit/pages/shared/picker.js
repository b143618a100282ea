// A picture whose grid cells can be chosen: hover names one, a click or Enter chooses it, arrow keys walk.

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
  place(picker, picker.chosen, picker.cell);
  picker.hover.hidden = true;
  say(picker, picker.cell);
  picker.frame.dataset.ready = "true";
}

function build(parentElement) {
  const frame = parentElement.querySelector(".picker");
  const picker = { frame };
  for (const part of ["image", "chosen", "hover", "words"]) picker[part] = frame.querySelector(`.${part}`);
  const stage = frame.querySelector(".stage");
  stage.addEventListener("pointermove", (event) => {
    const cell = under(picker, event);
    place(picker, picker.hover, cell);
    picker.hover.hidden = false;
    say(picker, cell);
  });
  stage.addEventListener("pointerleave", () => {
    picker.hover.hidden = true;
    say(picker, picker.cell);
  });
  stage.addEventListener("click", (event) => choose(picker, under(picker, event)));
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [row, col] = picker.cell;
    choose(picker, [clamp(row + step[0], picker.data.rows), clamp(col + step[1], picker.data.cols)]);
  });
  return picker;
}

function under(picker, event) {
  const box = picker.image.getBoundingClientRect();
  const row = Math.floor(((event.clientY - box.top) / box.height) * picker.data.rows);
  const col = Math.floor(((event.clientX - box.left) / box.width) * picker.data.cols);
  return [clamp(row, picker.data.rows), clamp(col, picker.data.cols)];
}

function choose(picker, cell) {
  if (cell[0] === picker.cell[0] && cell[1] === picker.cell[1]) return;
  picker.cell = cell;
  place(picker, picker.chosen, cell);
  say(picker, cell);
  clearTimeout(picker.timer); // walking with the arrow keys settles before Python hears of it
  picker.timer = setTimeout(() => picker.setStateValue("cell", cell), 120);
}

function place(picker, mark, [row, col]) {
  const { rows, cols } = picker.data;
  mark.style.left = `${(100 * col) / cols}%`;
  mark.style.top = `${(100 * row) / rows}%`;
  mark.style.width = `${100 / cols}%`;
  mark.style.height = `${100 / rows}%`;
}

function say(picker, [row, col]) {
  picker.words.textContent = picker.data.words.replace("{row}", row).replace("{col}", col);
}

function clamp(value, count) {
  return Math.min(Math.max(value, 0), count - 1);
}
