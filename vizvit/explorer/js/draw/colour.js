// Attention as colour: the sequential maps that Python sent, and the diverging one for differences.

import { GREYS } from "../compute/blending.js";
import { shadeMap } from "../compute/scaling.js";
import { smoothMap } from "../compute/smoothing.js";

// The colours of a map by itself, on a tile or a colour bar.
export function coloursFor(side, { blend, colours }) {
  return blend === "light" ? GREYS : side.colours[colours];
}

// A map on a canvas: rows × cols pixels, which CSS scales up to squares. With `side`, the values are interpolated to about
// so many pixels along the longer side before they become colours.
export function paintMap(canvas, map, rows, cols, limits, colours, side = 0) {
  let { row, first } = map, height = rows, width = cols;
  const factor = Math.round(side / Math.max(rows, cols));
  if (factor > 1) {
    [height, width] = [rows * factor, cols * factor];
    if (canvas.smoothed?.length !== height * width) canvas.smoothed = new Float32Array(height * width);
    row = smoothMap(row, first, rows, cols, factor, canvas.smoothed);
    first = 0;
  }
  if (canvas.width !== width || canvas.height !== height || !canvas.pixels) {
    Object.assign(canvas, { width, height, pixels: new ImageData(width, height) });
    canvas.words = new Uint32Array(canvas.pixels.data.buffer);
  }
  shadeMap(canvas.words, width, row, first, height, width, limits, colours, 0);
  canvas.getContext("2d").putImageData(canvas.pixels, 0, 0);
}

// Colours, one a patch in RGBA words, on a canvas of rows × cols pixels.
export function paintWords(canvas, colours, rows, cols) {
  if (canvas.width !== cols || canvas.height !== rows || !canvas.pixels) {
    Object.assign(canvas, { width: cols, height: rows, pixels: new ImageData(cols, rows) });
    canvas.words = new Uint32Array(canvas.pixels.data.buffer);
  }
  canvas.words.set(colours);
  canvas.getContext("2d").putImageData(canvas.pixels, 0, 0);
}

export function paintPixels(canvas, pixels, height, width) {
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    image.data[to] = pixels[from];
    image.data[to + 1] = pixels[from + 1];
    image.data[to + 2] = pixels[from + 2];
    image.data[to + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export function paintScale(canvas, colours) {
  if (canvas.colours === colours) return;
  Object.assign(canvas, { width: 256, height: 1, colours });
  const image = new ImageData(256, 1);
  new Uint32Array(image.data.buffer).set(colours);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export function clearCanvas(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}
