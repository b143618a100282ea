// What changes the state: a choice or an option settles and goes to Python, the rest is only this browser's.

import { isWhole, layerAtHand } from "./sides.js";

// A choice made by a person: kept within bounds, drawn, and reported once it has settled.
export function choose(app, values) {
  if ("token" in values && !("area" in values)) values = { ...values, area: null };
  if (("layer" in values || "head" in values) && !("rollout" in values)) values = { ...values, rollout: false };
  if (values.view && values.view !== "attention") values = { ...values, rollout: false };
  if (values.rollout) values = { ...values, view: "attention" };
  const { choice } = app, from = choice.layer;
  Object.assign(choice, values);
  choice.layer = layerAtHand(app, Math.min(Math.max(choice.layer, 0), app.a.capture.num_layers - 1), from);
  choice.rollout &&= isWhole(app);
  app.schedule();
  app.settle();
}

// Something that only this browser needs to know.
export function show(app, values) {
  Object.assign(app, values);
  app.schedule();
}

export function setOption(app, values) {
  Object.assign(app.options, values);
  app.schedule();
  app.settle();
}

export function toggleFold(app, name) {
  app.folds[name] = !app.folds[name];
  app.schedule();
  app.settle(); // an open fold may need layers that are not here
}

// The choice, the display and the open folds together, as Python knows them.
export function settledView(app) {
  const open = Object.keys(app.folds).filter((name) => app.folds[name]);
  return { ...app.choice, ...app.options, open };
}

// A view, as an address or a pin has it, becomes what is chosen.
export function applyView(app, view) {
  for (const [name, value] of Object.entries(view)) {
    if (name in app.choice) app.choice[name] = value;
    else if (name in app.options) app.options[name] = value;
  }
  for (const name of Object.keys(app.folds)) if (view.open) app.folds[name] = view.open.includes(name);
  Object.assign(app, { hover: null, inspect: null, drag: null, pressed: null });
}

// A view put aside, or come by a link.
export function openView(app, view) {
  applyView(app, { ...view, open: undefined }); // a pinned view leaves the folds as they are
  app.schedule();
  app.settle();
}
