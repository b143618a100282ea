// Pointing at a picture tries a patch as query, a click keeps it, a drag draws a rectangle; or the number of a patch is read.

import { linkedBack } from "../compute/link.js";
import { areaBetween, placeOf } from "../compute/patches.js";
import { choose, show } from "../state/changes.js";
import { prefixCount } from "../state/sides.js";
import { HOME } from "../state/state.js";

export function attachPointer(app) {
  for (const figure of Object.values(app.dom.figures)) attachPicture(app, figure);
  const { tiles } = app.dom;
  tiles.addEventListener("pointermove", (event) => {
    const tile = app.dom.tile.find(({ button }) => button.contains(event.target));
    const token = tile && event.pointerType === "mouse" ? tokenAt(app.a, tile.map, event) : null;
    const inspect = token === null ? null : { token, head: tile.head };
    if (app.inspect?.token !== inspect?.token || app.inspect?.head !== inspect?.head) show(app, { inspect });
  });
  tiles.addEventListener("pointerleave", () => show(app, { inspect: null }));
}

function attachPicture(app, figure) {
  const { picture } = figure;
  const at = (event) => tokenUnder(app, figure, event);
  const reading = (event) => event.shiftKey !== (app.tool === "read");
  const drawing = (event) => app.tool === "area" || event.pointerType === "mouse";

  picture.addEventListener("pointermove", (event) => {
    const token = at(event);
    const { pressed } = app; // { token, kept, figure }: where the pointer went down, and the query then
    if (pressed?.figure === figure && !reading(event) && drawing(event) && token !== null && (app.drag || token !== pressed.token)) {
      if (placeOf(app.a.capture, pressed.token)) return show(app, { drag: areaBetween(app.a.capture, pressed.token, token), hover: null });
    }
    if (reading(event)) {
      if (app.inspect?.token !== token || app.hover !== null) show(app, { hover: null, inspect: token === null ? null : { token } });
    } else if (app.hover !== token || app.inspect) {
      show(app, { hover: token, inspect: null });
    }
  });
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const token = at(event);
    if (token === null) return;
    app.pressed = { token, figure, kept: app.choice.area ? null : app.choice.token };
    picture.setPointerCapture(event.pointerId); // a rectangle may be drawn beyond the edge
    if (event.pointerType !== "mouse") show(app, reading(event) ? { inspect: { token } } : { hover: token });
  });
  picture.addEventListener("pointerup", (event) => {
    const token = at(event);
    if (app.pressed?.figure !== figure) return;
    const { kept } = app.pressed, touch = event.pointerType !== "mouse", area = app.drag;
    app.pressed = null;
    if (touch) Object.assign(app, { hover: null, inspect: null }); // a finger leaves no pointer behind
    app.drag = null;
    if (area) {
      app.hover = null;
      return choose(app, { area, token: prefixCount(app.a) + area[0] * app.a.capture.cols + area[1] });
    }
    if (token === null) return;
    if (reading(event)) return choose(app, { key: token === app.choice.key ? null : token });
    choose(app, { token: token === kept ? HOME : token });
  });
  for (const name of ["pointerleave", "pointercancel"]) {
    picture.addEventListener(name, () => {
      if (name === "pointerleave" && app.drag) return; // captured: it may come back
      app.pressed = null;
      show(app, { hover: null, inspect: null, drag: null });
    });
  }
}

// The token of picture A that a pointer over any of the pictures means.
function tokenUnder(app, figure, event) {
  if (figure.name !== "b") return tokenAt(app.a, figure.cover, event);
  const token = tokenAt(app.b, figure.cover, event);
  return token === null ? null : linkedBack(app.a.capture, app.b.capture, app.b.linked, token);
}

// The patch under the pointer. A finger, or a drag, that slides off the picture keeps the nearest one.
function tokenAt(side, area, event) {
  const { rows, cols } = side.capture, box = area.getBoundingClientRect();
  let row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  let col = Math.floor(((event.clientX - box.left) / box.width) * cols);
  if (event.pointerType !== "mouse" || event.buttons) {
    row = Math.min(Math.max(row, 0), rows - 1);
    col = Math.min(Math.max(col, 0), cols - 1);
  }
  const inside = row >= 0 && row < rows && col >= 0 && col < cols;
  return inside ? prefixCount(side) + row * cols + col : null;
}
