// The model in a worker of its own, so that the page stays quick: see worker.js.

import { fromBase64 } from "../forward/weights.js";

// parts: { source: the worker's script, colours: name -> base64, weights: number -> base64 }. take(answer) gets what the
// worker says. ask(picture, number, features) -> the id that the answers have; a picture's bytes are gone afterwards.
// samples(pictures): what the walk compares with; stage(asked): a stage of the walk through the last picture.
export function createEngine({ source, colours, weights }, take) {
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const known = new Set();
  let last = 0;
  worker.onmessage = ({ data }) => take(data);
  worker.onerror = (event) => take({ what: "failure", id: last, reason: event.message ?? "" });
  worker.postMessage({ what: "colours", maps: Object.fromEntries(Object.entries(colours).map(([name, text]) => [name, fromBase64(text)])) });

  function ask(picture, number, features) {
    if (!known.has(number)) worker.postMessage({ what: "weights", number, text: weights(number) });
    known.add(number);
    worker.postMessage({ what: "picture", id: ++last, number, picture, features }, [picture.data.buffer]);
    return last;
  }

  const samples = (pictures) => worker.postMessage({ what: "samples", pictures }, pictures.map(({ data }) => data.buffer));
  const stage = (asked) => worker.postMessage({ what: "stage", id: last, asked });

  return { ask, samples, stage };
}
