// Attention as colour: the sequential map that Python sent, 0 dark, the given maximum bright.

// Writes row[first], row[first + 1], … of a [rows, cols] grid as RGBA into `target`, whose lines are `stride` pixels long.
export function paintMap(target, stride, row, first, rows, cols, maximum, colours, at = 0) {
  const factor = maximum > 0 ? 255 / maximum : 0;
  for (let r = 0, i = first; r < rows; r++) {
    for (let c = 0, to = at + r * stride; c < cols; c++) {
      target[to + c] = colours[Math.min(255, Math.round(row[i++] * factor))];
    }
  }
}

// A canvas of exactly rows × cols pixels; CSS scales it up to squares.
export function paintCanvas(canvas, row, first, rows, cols, maximum, colours) {
  if (canvas.width !== cols || canvas.height !== rows) Object.assign(canvas, { width: cols, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(cols, rows);
  paintMap(new Uint32Array(image.data.buffer), cols, row, first, rows, cols, maximum, colours);
  context.putImageData(image, 0, 0);
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
  Object.assign(canvas, { width: 256, height: 1 });
  const image = new ImageData(256, 1);
  new Uint32Array(image.data.buffer).set(colours);
  canvas.getContext("2d").putImageData(image, 0, 0);
}
