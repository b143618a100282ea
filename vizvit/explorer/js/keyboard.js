// Everything the pointer does, from the keyboard.

import { HOME, choose, stepPatch } from "./state.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const LAYERS = { PageUp: 1, PageDown: -1, "]": 1, "[": -1 };

export function attachKeyboard(app) {
  app.dom.picture.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || hasModifier(event)) return;
    event.preventDefault();
    const token = stepPatch(app, ...step);
    app.hover = null; // a resting mouse pointer steps aside
    choose(app, { token });
  });
  app.dom.tiles.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || hasModifier(event)) return;
    event.preventDefault();
    const tiles = app.dom.tile, at = tiles.findIndex(({ head }) => head === app.choice.head);
    const tile = tiles[(at + step[0] + step[1] + tiles.length) % tiles.length];
    choose(app, { head: tile.head });
    tile.button.focus();
  });
  app.root.addEventListener("keydown", (event) => {
    if (hasModifier(event)) return;
    if (event.key === "Escape") {
      app.hover = null;
      choose(app, { token: HOME });
    } else if (event.key in LAYERS && event.target !== app.dom.slider) {
      event.preventDefault();
      choose(app, { layer: app.choice.layer + LAYERS[event.key] });
    }
  });
}

function hasModifier(event) {
  return event.ctrlKey || event.metaKey || event.altKey;
}
