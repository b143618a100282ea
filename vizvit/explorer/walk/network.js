// The network's drawing from what the page knows: see spine.js, and vizvit/pages/walkthrough/spine.py.

import { fill } from "../js/draw/words.js";
import { number } from "./written.js";

export function networkOf({ t, numbers, model, outline, words }, stages, prediction, image) {
  const added = { heads: outline.attention, mlp: outline.mlp };
  const facts = ({ name, shape }) => [
    name === "tokens" && !model.prefix ? t.spine_none : shape,
    ...(name in added ? [fill(t.spine_adds, { added: number(added[name]), stream: number(outline.stream) })] : []),
  ];
  return {
    outline: { prefix: model.prefix_names, added: true, rotated: false, biased: false, arrangement: "serial", ...outline },
    parts: stages.map(facts), values: numbers.values, dim: numbers.dim, rows: model.rows, cols: model.cols, layers: model.layers, layer: numbers.layer,
    layer_name: fill(t.spine_layer, numbers), residual: fill(t.spine_residual, numbers), read_out: words.read_out, features: fill(t.spine_features, numbers), prediction, image,
  };
}
