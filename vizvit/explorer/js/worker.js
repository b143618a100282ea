// The model beside the page: pictures in, what the explorer takes out.
//
// In: { what: "weights", number, text, software } (base64; software: see forward/gpu.js); { what: "picture", id, number, picture: { data, width, height }, features };
// { what: "samples", pictures }, for what the walk compares with; { what: "stage", id, asked }, of the picture that was
// last: see byhand/steps.js.
// Out: { what: "capture", id, blob, logits, times, by } and, where asked for, { what: "features", id, bytes }; { what: "stage",
// id, … }; or { what: "failure", id, reason }. times: milliseconds by part; by: "webgpu" or "webassembly". All is answered in order, one after the other.

import { createSteps } from "./byhand/steps.js";
import { encodeCapture } from "./forward/encode.js";
import { encodeFeatures } from "./forward/featureblob.js";
import { patchesOf, viewOf } from "./forward/resize.js";
import { createGpuForward } from "./forward/gpu.js";
import { createVit } from "./forward/vit.js";
import { fromBase64, readWeights } from "./forward/weights.js";

export function serve(scope) {
  const models = new Map(); // number -> { model, vit, steps }
  const colours = {};
  let samples = [], steps = null; // of the picture that was last
  const work = {
    colours: ({ maps }) => Object.assign(colours, maps),
    async weights({ number, text, software }) {
      const { model, tensors } = readWeights(fromBase64(text)), vit = createVit(model, tensors), onCard = await createGpuForward(model, tensors, vit, software);
      models.set(number, { model, forward: onCard ?? vit.forward, steps: createSteps(model, tensors, vit) });
    },
    samples: ({ pictures }) => (samples = pictures),
    async picture({ id, number, picture, features }) {
      const { model, forward, steps: ofModel } = models.get(number), times = {}, lap = stopwatch(times);
      const view = viewOf(picture, model), pixels = patchesOf(view, model);
      lap("picture");
      const found = await forward(pixels);
      lap("forward");
      steps = ofModel.arrive({ view, pixels, found });
      const name = `picture ${id}`, blob = encodeCapture(model, found, view, name, colours);
      lap("encode");
      scope.postMessage({ what: "capture", id, blob, logits: found.logits, times, by: found.by ?? "webassembly" }, [blob.buffer]);
      if (!features) return;
      const bytes = encodeFeatures(model, found.streams, name);
      lap("features");
      scope.postMessage({ what: "features", id, bytes, times }, [bytes.buffer]);
    },
    stage: ({ id, asked }) => scope.postMessage({ what: "stage", id, ...steps.stage(asked, samples) }),
  };
  let last = Promise.resolve();
  scope.onmessage = ({ data }) => (last = last.then(() => work[data.what](data)).catch((error) => {
    scope.postMessage({ what: "failure", id: data.id, reason: String(error?.message ?? error) });
  }));
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
