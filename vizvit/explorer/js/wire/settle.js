// Tells Python what a person has settled on: after 250 ms of rest, and only what is new.

import { settledView } from "../state/changes.js";
import { isFeatured } from "../state/featureviews.js";
import { sidesOf } from "../state/sides.js";
import { stampOfCheck, wantedCheck } from "../state/weight.js";
import { askForVectors } from "./vectors.js";
import { missingLayer } from "./fetching.js";

const REST_MS = 250;

export function createSettle(app) {
  return () => {
    clearTimeout(app.settleTimer);
    app.settleTimer = setTimeout(() => report(app), REST_MS);
  };
}

export function report(app) {
  if (!app.a.capture) return;
  if (!isFeatured(app)) for (const side of sidesOf(app)) askForLayer(app, side);
  askForVectors(app);
  askForCheck(app);
  const stamp = stampOfChoice(app);
  if (stamp === app.reported) return;
  app.reported = stamp;
  app.send("selection", JSON.parse(stamp));
}

function askForLayer(app, side) {
  const layer = missingLayer(app, side);
  if (layer === null || side.requested !== null) return;
  side.requested = layer;
  app.send(side === app.a ? "layer" : "compare_layer", layer);
}

function askForCheck(app) {
  const check = wantedCheck(app), stamp = check && stampOfCheck(app.a, check);
  if (!check || app.check?.stamp === stamp) return;
  app.check = { stamp, number: ++app.asked };
  app.send("check", { number: app.asked, what: "check", ...check });
}

// The choice with the number of the start it goes back to: by it Python tells a new choice from an outdated one.
export function stampOfChoice(app) {
  return JSON.stringify({ ...settledView(app), start: app.session.start });
}
