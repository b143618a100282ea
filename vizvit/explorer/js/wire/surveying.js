// What needs a pass over a whole layer is done beside the page: asked of the surveyor once, and kept with its side.

import { createSurveyor } from "../compute/surveyor.js";
import { fill } from "../draw/words.js";
import { layerOf, sidesOf } from "../state/sides.js";

// What needs a pass over a whole layer is done beside the page.
export function attachSurveyor(app) {
  app.surveyor = createSurveyor(({ kind, side: place, index, how, result, error }) => {
    const side = sidesOf(app).find((one) => one.place === place);
    if (!side) return; // of a picture that is gone
    if (error) {
      app.dom.failure.textContent = fill(app.texts.unreadable, { reason: error });
      side.failed.add(`${kind} ${index}`); // the same again would fail again
    }
    else if (kind === "survey") side.surveys.set(index, result);
    else if (side.chainOf === how) side.chain.set(index, result);
    app.schedule();
  });
  app.surveyOf = (side, index) => {
    if (!side.surveys.has(index) && !side.failed.has(`survey ${index}`)) {
      app.surveyor.ask("survey", side.place, index, { layer: () => layerOf(side, index), geometry: geometryOf(side.capture) }, 1);
    }
    return side.surveys.get(index);
  };
  app.askFused = (side, index, how) => {
    if (side.sections.has(index) && !side.failed.has(`fused ${index}`)) app.surveyor.ask("fused", side.place, index, { layer: () => layerOf(side, index), how });
  };
}

function geometryOf({ rows, cols, patch_size, prefix_names }) {
  return { rows, cols, patch_size, prefix: prefix_names.length };
}
