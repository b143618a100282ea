// The bytes from Python as arrays. See vizvit/explorer/payload.py for the layout.

export const MAGIC = 0x31565a56; // "VZV1"

// The two frames around one another: per-session values outside, the capture inside.
export function readPayload(bytes) {
  const buffer = bytes.slice().buffer; // arrives unaligned; a copy starts at 0
  const outer = readFrame(buffer, 0);
  const inner = readFrame(buffer, outer.body);
  const capture = inner.header;
  const sections = new Map(capture.layers.map((section) => [section.layer, { section, buffer, body: inner.body }]));
  const { height, width, offset } = capture.image;
  return {
    session: outer.header,
    capture,
    sections, // layer -> where its bytes are
    pixels: new Uint8Array(buffer, inner.body + offset, height * width * 3),
    colours: Object.fromEntries(
      Object.entries(capture.colours).map(([name, at]) => [name, new Uint32Array(buffer, inner.body + at, 256)]), // RGBA
    ),
  };
}

export function readFrame(buffer, start) {
  const view = new DataView(buffer, start);
  if (view.getUint32(0, true) !== MAGIC) throw new Error("not an explorer payload");
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, start + 8, length)));
  return { header, body: start + 8 + length };
}

// One layer's arrays in float32: queries and keys [head, token, dim], keyMean [head, dim], bias [head or 1, query, key].
export function decodeLayer(capture, { section, buffer, body }) {
  const heads = capture.num_heads, tokens = capture.num_tokens, dim = section.head_dim;
  const floats = (place, count) => numbersAt(buffer, body, place, count);
  return {
    heads, tokens, dim,
    scale: section.scale,
    queries: floats(section.queries, heads * tokens * dim),
    keys: floats(section.keys, heads * tokens * dim), // less their mean
    keyMean: new Float32Array(buffer, body + section.key_mean, heads * dim),
    biasHeads: section.bias ? section.bias.heads : 0,
    bias: section.bias ? floats(section.bias, section.bias.heads * tokens * tokens) : null,
  };
}

// Numbers in half precision, times 2^exponent, or in single precision where no exponent is given.
export function numbersAt(buffer, body, { offset, exponent }, count) {
  if (exponent === null) return new Float32Array(buffer, body + offset, count);
  return decodeHalves(new Uint16Array(buffer, body + offset, count), exponent);
}

// Half-precision bit patterns times 2^exponent. A table of all 65,536 is as fast as Float16Array and works everywhere.
export function decodeHalves(halves, exponent = 0) {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
  const factor = 2 ** exponent, out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halfTable[halves[i]] * factor;
  return out;
}

let halfTable = null;

function halfValue(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
