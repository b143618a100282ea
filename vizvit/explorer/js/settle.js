// Tells Python what a person has settled on: after 250 ms of rest, and only what is new.

const REST_MS = 250;

export function createSettle(app) {
  return () => {
    clearTimeout(app.settleTimer);
    app.settleTimer = setTimeout(() => report(app), REST_MS);
  };
}

export function report(app) {
  const { layer } = app.choice;
  if (!app.sections.has(layer) && app.requested !== layer) {
    app.requested = layer;
    app.send("layer", layer);
  }
  const stamp = stampOf(app);
  if (stamp === app.reported) return;
  app.reported = stamp;
  app.send("selection", JSON.parse(stamp));
}

// The choice with the number of the start it goes back to: by it Python tells a new choice from an outdated one.
export function stampOf(app) {
  const { layer, head, token } = app.choice;
  return JSON.stringify({ layer, head, token, start: app.session.start });
}
