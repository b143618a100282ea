// What side B looks at when A is moved: the token, layer and head that stand for A's.

import { linkedHead, linkedLayer, linkedToken } from "../compute/link.js";
import { queryTokens } from "./state.js";

// The query of side B that stands for that of A.
export function tokensOn(app, side) {
  const tokens = queryTokens(app);
  if (side === app.a) return tokens;
  const found = tokens.map((token) => linkedToken(app.a.capture, side.capture, side.linked, token));
  return [...new Set(found.filter((token) => token !== null))];
}

export function layerOn(app, side, layer = app.choice.layer) {
  return side === app.a ? layer : linkedLayer(layer, app.a.capture.num_layers, side.capture.num_layers);
}

export function headOn(app, side, head = app.choice.head) {
  return side === app.a || head === null ? head : linkedHead(head, app.a.capture.num_heads, side.capture.num_heads);
}
