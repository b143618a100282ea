// Until somebody points or types, the query tries three telling patches in turn, and so shows what there is to do.

import { tellingPatches } from "../compute/telling.js";
import { show } from "../state/changes.js";
import { layerOf, prefixCount } from "../state/sides.js";
import { HOME } from "../state/state.js";

const FIRST_MS = 2500, STAY_MS = 2200;
const SIGNS = ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"];

export function startWandering(app) {
  if (app.wandering || !app.session.wander || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  app.wandering = { timer: setTimeout(() => begin(app), FIRST_MS), patches: [], at: 0 };
  const stop = () => stopWandering(app);
  for (const sign of SIGNS) addEventListener(sign, stop, { capture: true, passive: true });
  app.endings.push(stop);
  app.wandering.end = () => SIGNS.forEach((sign) => removeEventListener(sign, stop, { capture: true }));
}

function begin(app) {
  const { a, choice, wandering } = app, layer = layerOf(a, choice.layer);
  if (layer) {
    const { rows, cols } = a.capture, place = { rows, cols, prefix: prefixCount(a) };
    Object.assign(wandering, { patches: tellingPatches(layer, place, HOME), capture: a.capture.capture, layer: choice.layer });
  }
  next(app);
}

function next(app) {
  const { wandering, a, choice } = app, { patches } = wandering;
  if (wandering.capture !== a.capture.capture || wandering.layer !== choice.layer) {
    wandering.timer = setTimeout(() => begin(app), STAY_MS); // another picture has come, or a layer is on its way
    return;
  }
  if (patches.length) show(app, { hover: patches[wandering.at++ % patches.length] });
  wandering.timer = setTimeout(() => next(app), STAY_MS);
}

// For good: who has pointed once needs no showing.
function stopWandering(app) {
  const { wandering } = app;
  if (!wandering || wandering.over) return;
  clearTimeout(wandering.timer);
  wandering.end();
  wandering.over = true;
  if (wandering.patches.includes(app.hover)) show(app, { hover: null });
}
