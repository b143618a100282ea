// The EXIF orientation of a WebP file, which browsers leave to the page; of other files they turn pictures themselves.

const ORIENTATION = 0x0112;

// For each orientation the canvas transform of a picture of w × h that turns it upright.
export const TURNS = {
  1: () => [1, 0, 0, 1, 0, 0], 2: (w) => [-1, 0, 0, 1, w, 0], 3: (w, h) => [-1, 0, 0, -1, w, h], 4: (w, h) => [1, 0, 0, -1, 0, h],
  5: () => [0, 1, 1, 0, 0, 0], 6: (w, h) => [0, 1, -1, 0, h, 0], 7: (w, h) => [0, -1, -1, 0, h, w], 8: (w) => [0, -1, 1, 0, 0, w],
};

// 1 to 8; 1 where nothing says otherwise; null for what is no WebP file.
export function orientationOfWebp(bytes) {
  const text = (at, count) => String.fromCharCode(...bytes.subarray(at, at + count));
  if (text(0, 4) !== "RIFF" || text(8, 4) !== "WEBP") return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true), start = at + 8;
    if (text(at, 4) === "EXIF") return orientationOfExif(bytes.subarray(start + (text(start, 4) === "Exif" ? 6 : 0), start + size));
    at = start + size + (size % 2);
  }
  return 1;
}

function orientationOfExif(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), little = bytes[0] === 0x49;
  try {
    const first = view.getUint32(4, little), count = view.getUint16(first, little);
    for (let entry = first + 2; entry < first + 2 + 12 * count; entry += 12) {
      if (view.getUint16(entry, little) !== ORIENTATION) continue;
      const found = view.getUint16(entry + 8, little);
      return found in TURNS ? found : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // damaged EXIF in a sound picture: it is shown as stored
  }
  return 1;
}
