// Numbers as colours, and colours as the pictures of a page.

const maps = {}; // name -> RGBA bytes [256, 4]

// The colour maps, once: by the names of vizvit/explorer/payload.py.
export function takeColours(colours) {
  Object.assign(maps, colours);
}

// RGB bytes [n, 3] of values [n]: of a colour map that runs from low to high.
export function shadesOf(values, map, low, high) {
  const out = new Uint8Array(3 * values.length), colours = maps[map], range = Math.max(high - low, 1e-12);
  for (let i = 0; i < values.length; i++) {
    const at = 4 * Math.min(Math.floor(256 * Math.min(Math.max((values[i] - low) / range, 0), 1)), 255);
    out.set(colours.subarray(at, at + 3), 3 * i);
  }
  return out;
}

// RGB bytes [rows, cols, 3] as a data URL.
export function imageOf(rgb, rows, cols) {
  return canvasOf(rgb, rows, cols).toDataURL("image/png");
}

function canvasOf(rgb, rows, cols) {
  const canvas = Object.assign(document.createElement("canvas"), { width: cols, height: rows }), image = new ImageData(cols, rows);
  for (let pixel = 0; pixel < rows * cols; pixel++) {
    image.data.set(rgb.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// The same with about so many pixels along its longer side: enlarged by a whole factor, or made smaller.
export function resized(rgb, rows, cols, side) {
  const longer = Math.max(rows, cols), factor = longer > side ? side / longer : Math.max(1, Math.round(side / longer));
  const width = Math.max(1, Math.round(cols * factor)), height = Math.max(1, Math.round(rows * factor));
  const canvas = Object.assign(document.createElement("canvas"), { width, height }), context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvasOf(rgb, rows, cols), 0, 0, width, height);
  return canvas.toDataURL("image/png");
}

// A matrix as colours around white, as a screen shows it: at most so many pixels a side.
export function matrixImage(values, rows, cols, limit, most = 400) {
  const height = Math.min(rows, most), width = Math.min(cols, most), canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvasOf(shadesOf(values, "difference", -limit, limit), rows, cols), 0, 0, width, height);
  return canvas.toDataURL("image/png");
}
