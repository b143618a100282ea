// Views put aside, of this tab.

// Those of the grid that is shown.
export function pinnedViews(app) {
  return app.pins.filter((pin) => pin.grid === gridOf(app)).map((pin) => pin.view);
}

export function addPin(app, view) {
  app.pins = [...app.pins, { view, grid: gridOf(app) }];
  keepPins(app);
}

export function removePin(app, view) {
  const stamp = stampOfPin(view);
  app.pins = app.pins.filter((pin) => stampOfPin(pin.view) !== stamp || pin.grid !== gridOf(app));
  keepPins(app);
}

// Pins belong to this tab and outlive a change of page.
export function restorePins(app) {
  try {
    app.pins = JSON.parse(sessionStorage.getItem(placeOfPins(app)) ?? "[]");
  } catch {
    app.pins = []; // no storage here, or something else under this name
  }
}

function keepPins(app) {
  try {
    sessionStorage.setItem(placeOfPins(app), JSON.stringify(app.pins));
  } catch {
    // a browser without storage forgets them with the page
  }
}

export function stampOfPin(view) {
  return JSON.stringify(view);
}

function gridOf({ a: { capture } }) {
  return [capture.num_layers, capture.num_heads, capture.rows, capture.cols, capture.prefix_names.length].join("×");
}

function placeOfPins(app) {
  return `vizvit-pins-${app.session.key ?? ""}`;
}
