// Token vectors, which come beside the capture when a view of features is chosen.

import { missingVectors, takeFeatures } from "../state/featureviews.js";
import { sidesOf } from "../state/sides.js";
import { listen } from "./feeds.js";

export function connectFeatures(app) {
  app.featureData = { a: null, b: null };
  for (const [name, channel] of [["a", "features"], ["b", "compare_features"]]) {
    app.endings.push(listen(app.session.key, channel, (data) => {
      app.featureData[name] = data ?? app.featureData[name]; // what is no longer sent is still true
      takeFeatures(app);
      if (app.a.capture) app.refresh();
    }));
  }
}

// Asks for the next layer's vectors that may soon be looked at.
export function askForVectors(app) {
  for (const side of sidesOf(app)) {
    const layer = missingVectors(app, side);
    if (layer === null || side.featuresRequested === layer) continue;
    side.featuresRequested = layer;
    app.send(side === app.a ? "features" : "compare_features", { layer, capture: side.capture.capture });
  }
}
