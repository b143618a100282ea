// Putting the view aside.

import { notice } from "../draw/notice.js";
import { fill } from "../draw/words.js";
import { settledView } from "../state/changes.js";
import { addPin, pinnedViews, stampOfPin } from "../state/pins.js";

const MOST_PINS = 6; // what a page of the handout holds

export function pinView(app) {
  const view = settledView(app), stamp = stampOfPin(view), pins = pinnedViews(app);
  if (pins.some((pin) => stampOfPin(pin) === stamp)) return;
  if (pins.length >= MOST_PINS) return notice(app, fill(app.texts.pins_full, { count: MOST_PINS }));
  addPin(app, view);
  notice(app, fill(app.texts.pinned, { count: pins.length + 1, most: MOST_PINS }));
  app.schedule();
  app.settle(); // its layer may have to be fetched again one day
}
