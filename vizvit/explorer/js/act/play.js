// Stepping through the layers by itself.

import { choose } from "../state/changes.js";

const LAYER_MS = 900; // on a layer at speed 1
const CALM_MS = 2000; // at least, for who prefers less motion

export function togglePlay(app) {
  if (app.playing) return stopPlay(app);
  app.playing = true;
  if (app.choice.rollout || app.choice.layer === app.a.capture.num_layers - 1) choose(app, { layer: 0 });
  else app.schedule();
  wait(app);
}

export function stopPlay(app) {
  clearTimeout(app.playTimer);
  app.playing = false;
  app.schedule();
}

function wait(app) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches, rest = LAYER_MS / app.speed;
  app.playTimer = setTimeout(() => step(app), calm ? Math.max(CALM_MS, rest) : rest);
}

function step(app) {
  if (!app.playing) return;
  if (!app.a.content?.pending) { // a layer that is still on its way is waited for
    const last = app.a.capture.num_layers - 1, before = app.choice.layer;
    if (before >= last) return stopPlay(app);
    choose(app, { layer: before + 1 });
    if (app.choice.layer === last || app.choice.layer <= before) return stopPlay(app);
  }
  wait(app);
}
