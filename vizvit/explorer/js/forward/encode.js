// What a forward pass left as the bytes that the explorer takes, as vizvit/explorer/payload.py has them, but not rounded.

import { MAGIC } from "../compute/payload.js";

const ALIGNMENT = 16;

// A JSON header and a body in one piece; the body starts at a multiple of 16 bytes.
export function frameOf(header, body) {
  const text = new TextEncoder().encode(JSON.stringify(header)), start = Math.ceil((8 + text.length) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(start + body.length).fill(32, 8, start), view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, start - 8, true);
  bytes.set(text, 8);
  bytes.set(body, start);
  return bytes;
}

// Sections one after the other, each at an aligned offset.
export function createBody() {
  const parts = [];
  let size = 0;
  return {
    add(array) {
      const offset = size;
      parts.push([offset, new Uint8Array(array.buffer, array.byteOffset, array.byteLength)]);
      size = Math.ceil((size + array.byteLength) / ALIGNMENT) * ALIGNMENT;
      return offset;
    },
    // Numbers as they are: nothing travels far here, so that nothing need be rounded.
    addFloats(values) {
      return { offset: this.add(values), exponent: null };
    },
    bytes() {
      const all = new Uint8Array(size);
      for (const [offset, part] of parts) all.set(part, offset);
      return all;
    },
  };
}

// The blob of a capture. found: what the forward pass gave; view: the RGB bytes that the model saw; name: equal for the
// blobs of one picture only; colours: name -> RGBA bytes of a colour map.
export function encodeCapture(model, found, view, name, colours) {
  const body = createBody(), { heads, tokens, head_dim: size } = model;
  const nothing = body.add(new Float32Array(heads * size)); // the keys have their mean
  const header = {
    capture: name, num_layers: model.layers, num_heads: heads, num_tokens: tokens, rows: model.rows, cols: model.cols,
    patch_size: model.patch_size, prefix_names: model.prefix_names,
    image: { height: model.rows * model.patch_size, width: model.cols * model.patch_size, offset: body.add(view) },
    colours: Object.fromEntries(Object.entries(colours).map(([map, bytes]) => [map, body.add(bytes)])),
    layers: found.keys.map((keys, layer) => ({
      layer, head_dim: size, scale: model.scale, queries: body.addFloats(found.queries[layer]), keys: body.addFloats(keys),
      key_mean: nothing, bias: null,
    })),
  };
  return frameOf(header, body.bytes());
}
