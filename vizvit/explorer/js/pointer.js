// Pointing at the picture tries a patch as query; a click keeps it, a click on the kept one lets go.

import { HOME, choose, prefixCount, show } from "./state.js";

export function attachPointer(app) {
  const { picture, cover } = app.dom;
  let pressed = null; // the token kept when the pointer went down

  picture.addEventListener("pointermove", (event) => {
    const token = tokenAt(app, cover, event);
    if (event.shiftKey) {
      if (app.inspect?.token !== token) show(app, { inspect: token === null ? null : { token } });
    } else if (app.hover !== token || app.inspect) {
      show(app, { hover: token, inspect: null });
    }
  });
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressed = app.choice.token;
    if (event.pointerType !== "mouse") show(app, { hover: tokenAt(app, cover, event) });
  });
  picture.addEventListener("pointerup", (event) => {
    const token = tokenAt(app, cover, event);
    if (pressed === null || token === null || event.shiftKey) return;
    const touch = event.pointerType !== "mouse";
    if (touch) app.hover = null; // a finger leaves no pointer behind
    choose(app, { token: token === pressed ? HOME : token });
    pressed = null;
  });
  for (const name of ["pointerleave", "pointercancel"]) {
    picture.addEventListener(name, () => {
      pressed = null;
      show(app, { hover: null, inspect: null });
    });
  }
  app.dom.tiles.addEventListener("pointermove", (event) => {
    const tile = app.dom.tile.find(({ button }) => button.contains(event.target));
    const token = tile && event.pointerType === "mouse" ? tokenAt(app, tile.map, event, false) : null;
    const inspect = token === null ? null : { token, head: tile.head };
    if (app.inspect?.token !== inspect?.token || app.inspect?.head !== inspect?.head) show(app, { inspect });
  });
  app.dom.tiles.addEventListener("pointerleave", () => show(app, { inspect: null }));
}

// The patch under the pointer. A finger that slides off the picture keeps the nearest one.
function tokenAt(app, area, event, nearest = event.pointerType !== "mouse") {
  const { rows, cols } = app.capture, box = area.getBoundingClientRect();
  let row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  let col = Math.floor(((event.clientX - box.left) / box.width) * cols);
  if (nearest) {
    row = Math.min(Math.max(row, 0), rows - 1);
    col = Math.min(Math.max(col, 0), cols - 1);
  }
  const inside = row >= 0 && row < rows && col >= 0 && col < cols;
  return inside ? prefixCount(app) + row * cols + col : null;
}
