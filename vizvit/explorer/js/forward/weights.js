// A model's weights as they come: see vizvit/explorer/weights.py for the layout.

import { decodeHalves, readFrame } from "../compute/payload.js";

// { model, tensors: name -> Float32Array }.
export function readWeights(bytes) {
  const { header, body } = readFrame(bytes.buffer, 0), tensors = {};
  for (const [name, { offset, count, half }] of Object.entries(header.tensors)) {
    tensors[name] = half ? decodeHalves(new Uint16Array(bytes.buffer, body + offset, count)) : new Float32Array(bytes.buffer, body + offset, count);
  }
  return { model: header.model, tensors };
}

export function fromBase64(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}
