// What comes from the server: a capture with its session, a second one to compare it with, and answers.

import { decodeLayer, readPayload } from "../compute/payload.js";
import { clearMaps } from "../draw/maps.js";
import { drawPhoto } from "../draw/photo.js";
import { fill } from "../draw/words.js";
import { applyView } from "../state/changes.js";
import { dropFeatures } from "../state/featureviews.js";
import { restorePins } from "../state/pins.js";
import { createSide } from "../state/sides.js";
import { connectFeatures } from "./vectors.js";
import { listen } from "./feeds.js";
import { stampOfChoice } from "./settle.js";

export function receive(app, data) {
  const payload = read(app, data);
  if (!payload) return;
  const { session } = payload, first = !app.session, moved = session.start !== app.session?.start;
  app.data = data;
  app.root.__vizvit.received++;
  Object.assign(app, { session, texts: session.texts });
  app.a.trained = session.trained;
  if (first) connect(app);
  const pointed = session.live ? {} : { hover: null, inspect: null, drag: null }; // a moving picture stays under the pointer
  if (takeCapture(app, app.a, payload)) Object.assign(app, { ...pointed, answers: new Map(), check: null });
  if (moved) {
    applyView(app, session.selection);
    app.reported = stampOfChoice(app);
  }
  app.refresh();
}

function read(app, data) {
  try {
    const payload = readPayload(data);
    app.dom.failure.textContent = "";
    return payload;
  } catch (error) {
    app.dom.failure.textContent = fill(app.texts?.unreadable ?? "{reason}", { reason: error.message });
    return null;
  }
}

// The bytes of a capture for a side; true where it is another capture than before.
function takeCapture(app, side, payload) {
  const { capture, sections, colours } = payload, known = side.capture?.capture === capture.capture;
  Object.assign(side, { colours: known ? side.colours : colours, capture, requested: null, task: null });
  if (!known) {
    app.surveyor.cancel(side.place);
    side.place = `${side.name} ${capture.capture}`;
    Object.assign(side, { sections: new Map(), decoded: new Map(), surveys: new Map(), chain: new Map(), chainOf: null, failed: new Set(), content: null });
    app.difference = null;
    dropFeatures(side);
    drawPhoto(app, app.dom.figures[side.name], payload);
    if (side === app.a) {
      drawPhoto(app, app.dom.figures.d, payload);
      clearMaps(app);
    }
  }
  for (const [layer, section] of sections) if (!side.decoded.has(layer)) side.sections.set(layer, section);
  return !known;
}

// The channels beside the capture: what is compared, and answers.
function connect(app) {
  const { key } = app.session;
  restorePins(app);
  connectFeatures(app);
  app.endings.push(listen(key, "compare", (data) => takeComparison(app, data)), ...["answer", "check"].map((name) => listen(key, name, (data) => data && takeAnswer(app, data))));
}

function takeComparison(app, data) {
  const payload = data ? read(app, data) : null;
  if (payload) {
    app.b ??= Object.assign(createSide("b"), { decode: decodeLayer });
    const { title, linked, trained } = payload.session;
    Object.assign(app.b, { title, linked, trained });
    takeCapture(app, app.b, payload);
  } else {
    app.surveyor.cancel(app.b?.place);
    app.b = app.difference = null;
  }
  const { a, b, d } = app.dom.figures;
  app.dom.pictures.replaceChildren(...(app.b ? [a, b, d] : [a]).map((figure) => figure.box));
  app.root.classList.toggle("comparing", Boolean(app.b));
  if (!app.b) app.root.classList.remove("with-difference");
  if (app.a.capture) app.refresh();
}

function takeAnswer(app, data) {
  const length = new DataView(data.buffer, data.byteOffset).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(data.subarray(8, 8 + length)));
  if (header.what !== "check") {
    app.takeFile(header, data.subarray(8 + length));
  } else if (header.number === app.check?.number) {
    app.answers.set(app.check.stamp, header);
    app.schedule();
  }
}
