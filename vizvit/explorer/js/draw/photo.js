// The picture that the maps lie upon, and its grid.

import { paintPixels } from "./colour.js";
import { gridFade, gridPath } from "./outline.js";

// A picture without its map: the pixels, the grid, and how much of it the patches cover.
export function drawPhoto(app, figure, { pixels, capture }) {
  const { rows, cols, patch_size: patch, image } = capture;
  paintPixels(figure.photo, pixels, image.height, image.width);
  figure.svg.setAttribute("viewBox", `0 0 ${cols} ${rows}`);
  figure.grid.setAttribute("d", gridPath(rows, cols));
  figure.box.style.setProperty("--grid-fade", gridFade(cols));
  figure.cover.style.width = `${Math.min(100, (100 * cols * patch) / image.width)}%`;
  figure.cover.style.height = `${Math.min(100, (100 * rows * patch) / image.height)}%`;
  for (const [name, value] of Object.entries({ "--rows": rows, "--cols": cols, "--ratio": image.width / image.height })) {
    figure.box.style.setProperty(name, value);
    if (figure.name === "a") app.root.style.setProperty(name, value);
    else if (figure.name === "b") app.root.style.setProperty(`${name}-b`, value);
  }
}
