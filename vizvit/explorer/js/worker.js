// The model beside the page: pictures in, what the explorer takes out.
//
// In: { what: "weights", number, text } (base64); { what: "picture", id, number, picture: { data, width, height }, features }.
// Out: { what: "capture", id, blob, logits, times } and, where asked for, { what: "features", id, bytes }; or { what:
// "failure", id, reason }. times: milliseconds by part. Pictures are answered one after the other, in order.

import { encodeCapture } from "./forward/encode.js";
import { encodeFeatures } from "./forward/featureblob.js";
import { patchesOf, viewOf } from "./forward/resize.js";
import { createVit } from "./forward/vit.js";
import { fromBase64, readWeights } from "./forward/weights.js";

export function serve(scope) {
  const models = new Map(); // number -> { model, run }
  const colours = {};
  const work = {
    colours: ({ maps }) => Object.assign(colours, maps),
    weights({ number, text }) {
      const { model, tensors } = readWeights(fromBase64(text));
      models.set(number, { model, forward: createVit(model, tensors).forward });
    },
    picture({ id, number, picture, features }) {
      const { model, forward } = models.get(number), times = {}, lap = stopwatch(times);
      const view = viewOf(picture, model), pixels = patchesOf(view, model);
      lap("picture");
      const found = forward(pixels);
      lap("forward");
      const name = `picture ${id}`, blob = encodeCapture(model, found, view, name, colours);
      lap("encode");
      scope.postMessage({ what: "capture", id, blob, logits: found.logits, times }, [blob.buffer]);
      if (!features) return;
      const bytes = encodeFeatures(model, found.streams, name);
      lap("features");
      scope.postMessage({ what: "features", id, bytes, times }, [bytes.buffer]);
    },
  };
  scope.onmessage = ({ data }) => {
    try {
      work[data.what](data);
    } catch (error) {
      scope.postMessage({ what: "failure", id: data.id, reason: String(error?.message ?? error) });
    }
  };
}

// Notes the milliseconds since the last lap under a name.
function stopwatch(times) {
  let last = performance.now();
  return (name) => {
    const now = performance.now();
    times[name] = now - last;
    last = now;
  };
}

if (typeof WorkerGlobalScope !== "undefined") serve(globalThis);
