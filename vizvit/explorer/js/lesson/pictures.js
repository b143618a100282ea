// Files as pixels: upright, on white, unmanaged colours as Pillow reads them; or a refusal that says why.

import { TURNS, orientationOfWebp } from "./orientation.js";

export const LONGEST_FILE = 32 * 2 ** 20;
export const LARGEST_PICTURE = 2 ** 26;
const CANVAS_PIXELS = 2 ** 24; // what a phone's canvas holds: larger pictures are halved on the way to it

// word: a key of the lesson's texts; values: what stands in its braces.
export class Refusal extends Error {
  constructor(word, values) {
    super(word);
    Object.assign(this, { word, values });
  }
}

// { data: RGBA bytes, width, height } of a file's picture.
export async function readPicture(file) {
  const name = file.name || "", kind = file.type || "?";
  if (!file.size) throw new Refusal("empty", { name });
  if (file.size > LONGEST_FILE) throw new Refusal("heavy", { name, size: Math.ceil(file.size / 2 ** 20), most: LONGEST_FILE / 2 ** 20 });
  const { width, height } = await sizeOf(file, new Refusal("unreadable", { name, kind }));
  if (width * height > LARGEST_PICTURE) throw new Refusal("large", { name, width, height, most: Math.floor(LARGEST_PICTURE / 1e6) });
  try {
    const turn = orientationOfWebp(new Uint8Array(await file.arrayBuffer())), imageOrientation = turn === null ? "from-image" : "none";
    const bitmap = await createImageBitmap(file, { imageOrientation, colorSpaceConversion: "none" });
    return pixelsOf(bitmap, bitmap.width, bitmap.height, turn ?? 1);
  } catch {
    throw new Refusal("unreadable", { name, kind });
  }
}

// What the header says, before anything is decoded.
async function sizeOf(file, refusal) {
  const image = new Image(), address = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: reject, src: address }));
  } catch {
    throw refusal;
  } finally {
    URL.revokeObjectURL(address);
  }
  if (!image.naturalWidth || !image.naturalHeight) throw refusal;
  return { width: image.naturalWidth, height: image.naturalHeight };
}

// source: what a canvas can draw; turn: the EXIF orientation that it is still to be turned by.
export function pixelsOf(source, wide, high, turn = 1) {
  let part = 1;
  while ((wide / part) * (high / part) > CANVAS_PIXELS) part *= 2;
  const across = Math.max(1, Math.floor(wide / part)), down = Math.max(1, Math.floor(high / part));
  const [width, height] = turn < 5 ? [across, down] : [down, across];
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  Object.assign(context, { fillStyle: "#fff", imageSmoothingQuality: "high" });
  context.fillRect(0, 0, width, height);
  context.setTransform(...TURNS[turn](across, down));
  context.drawImage(source, 0, 0, across, down);
  return { data: context.getImageData(0, 0, width, height).data, width, height };
}
