// The residual connections and the MLP of a block, for one token (vizvit/walk/feed_forward.py).

import { CURVES, apartOf, greatest, lengthOf, linearOf, normOf, rowOf } from "./formulas.js";

const UNITS = 10;

// before: the block's input; afterAttention; normed; pre: what enters the nonlinearity; hidden; out: what the MLP writes,
// layer scale included; after: the block's output; top: the most active units.
export function mlp(a, { layer, token }) {
  const { model, tensors, found } = a, { dim, hidden: width, activation } = model, traced = a.trace(layer), name = `blocks.${layer}`;
  const before = Float64Array.from(rowOf(found.streams[layer], token, dim)), attended = rowOf(traced.attended, token, dim);
  const afterAttention = before.map((value, i) => value + attended[i]), normed = normOf(a, afterAttention, `${name}.norm2`);
  const pre = linearOf(normed, tensors, `${name}.first`), hidden = pre.map(CURVES[activation].of), scale = tensors[`${name}.scale2`];
  const out = linearOf(hidden, tensors, `${name}.second`).map((value, i) => value * (scale ? scale[i] : 1)), after = afterAttention.map((value, i) => value + out[i]);
  const pairs = [[normed, "norm2", dim], [pre, "hiddenPre", width], [hidden, "hidden", width], [out, "written", dim], [after, "after", dim]];
  return {
    before, afterAttention, normed, pre, hidden, out, after, top: greatest(hidden.map(Math.abs), UNITS),
    difference: apartOf(...pairs.map(([hand, part, size]) => [hand, rowOf(traced[part], token, size)])),
  };
}

// What the drawing of the whole network says of a block: the token's length, and that of what each branch adds to it.
export function outline(a, { layer, token }) {
  const { dim } = a.model, traced = a.trace(layer), lengthIn = (part) => lengthOf(rowOf(part, token, dim));
  return { stream: lengthIn(a.found.streams[layer]), attention: lengthIn(traced.attended), mlp: lengthIn(traced.written) };
}
