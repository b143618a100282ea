// Surveys and fused matrices of whole layers, off the main thread, so that the pointer never waits for them.
//
// The worker's script is the text of the functions that it needs: there is no file to fetch, in an app or in a saved
// page. Where no worker can be had, the same work is done here, a layer at a time; and where WebAssembly may not be run,
// in plain JavaScript.

import { normalised } from "./chain.js";
import { DEPTH, LANES, ROWS, kernelBytes } from "./kernels.js";
import { fusedLayer, medianOf, sinksOf, surveyLayer } from "./survey.js";
import { addBias, exponentiate, kernelWork, packPanels, plainWork, readyKernels, scorePanel, sweepHead, sweepWork } from "./sweep.js";

const CREW = 4; // workers at most; from three processors on, one is left to the page

// ask(kind, side, index, args, priority): "survey" with args { layer, geometry }, answered by what surveyLayer returns; or
//   "fused" with { layer, how, residual }, answered by fusedLayer's matrix. args.layer: the decoded arrays,
//   or a function that gives them when their turn comes (null: dropped). Asking again for what still waits moves it up.
//   The highest priority (0 by default) goes first, and among equals the newest.
// cancel(side): nothing more comes of that side's asks. close(): nothing more comes at all.
// onDone({ kind, side, index, how, result }), or with `error`, a sentence, instead of `result`. most: workers.
export function createSurveyor(onDone, most = crewOf(globalThis.navigator?.hardwareConcurrency)) {
  const waiting = new Map(); // name -> job
  const crew = []; // { worker, job }, job null for one that rests
  let address = null, timer = 0, count = 0, closed = false, alone = false;
  let kernels; // of the page itself, once it works alone

  function ask(kind, side, index, args, priority = 0) {
    const name = JSON.stringify([kind, side, index, args.how, args.residual]);
    if (closed || crew.some(({ job }) => job?.name === name && !job.dropped)) return;
    waiting.set(name, { name, kind, side, index, args, priority, order: count++, dropped: false });
    wake();
  }

  function wake() {
    if (waiting.size && !closed) timer ||= setTimeout(begin, 0); // after all that is asked in this turn
  }

  function begin() {
    timer = 0;
    while (waiting.size) {
      const mate = alone ? null : crew.find(({ job }) => !job) ?? employ();
      if (!mate && !alone) return; // all are at work
      const job = next();
      if (job && mate) send(mate, job);
      else if (job) {
        if (kernels === undefined) kernels = readyKernels(kernelParts());
        return finish(job, surveyorAnswer(job.work, kernels));
      }
    }
  }

  // What comes first, with its arrays; null where those are gone.
  function next() {
    const [job] = [...waiting.values()].sort((a, b) => b.priority - a.priority || b.order - a.order);
    waiting.delete(job.name);
    const { kind, args } = job, layer = typeof args.layer === "function" ? args.layer() : args.layer;
    if (!layer) return null;
    const { heads, tokens, dim, scale, queries, keys, bias, biasHeads } = layer; // keyMean would bring the whole blob along
    const arrays = { heads, tokens, dim, scale, queries, keys, bias, biasHeads };
    return Object.assign(job, { work: { kind, arrays, geometry: args.geometry, how: args.how, residual: args.residual } });
  }

  function employ() {
    if (crew.length >= most) return null;
    try {
      address ??= URL.createObjectURL(new Blob([surveyorSource()], { type: "text/javascript" }));
      const mate = { worker: new Worker(address), job: null };
      mate.worker.onmessage = ({ data }) => {
        const { job } = mate;
        mate.job = null;
        finish(job, data);
      };
      mate.worker.onerror = mate.worker.onmessageerror = (event) => {
        event.preventDefault();
        dismiss();
      };
      crew.push(mate);
      return mate;
    } catch {
      dismiss();
      return null;
    }
  }

  function send(mate, job) {
    mate.job = job;
    try {
      mate.worker.postMessage(job.work);
    } catch {
      dismiss();
    }
  }

  // From now on the work is done here, first what was under way.
  function dismiss() {
    alone = true;
    for (const { worker, job } of crew.splice(0)) {
      worker.terminate();
      if (job && !job.dropped) waiting.set(job.name, { ...job, priority: Infinity });
    }
    if (address) URL.revokeObjectURL(address);
    address = null;
    wake();
  }

  function finish({ kind, side, index, args, dropped }, answer) {
    if (alone) wake();
    else begin(); // a worker does not wait for what the page makes of the answer
    if (!dropped && !closed) onDone({ kind, side, index, how: args.how, ...answer });
  }

  function cancel(side) {
    for (const [name, job] of waiting) if (job.side === side) waiting.delete(name);
    for (const { job } of crew) if (job?.side === side) job.dropped = true;
  }

  function close() {
    closed = true;
    clearTimeout(timer);
    waiting.clear();
    dismiss();
    waiting.clear();
  }

  return { ask, cancel, close };
}

function crewOf(processors = 2) {
  return Math.min(CREW, Math.max(2, processors - 1));
}

// { result } or { error }, from the arrays alone.
function surveyorAnswer({ kind, arrays, geometry, how, residual }, kernels) {
  try {
    if (kind === "survey") return { result: surveyLayer(arrays, geometry, kernels) };
    return { result: fusedLayer(arrays, how, kernels, residual) };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
}

// The whole script of the worker.
export function surveyorSource() {
  const parts = [surveyorAnswer, surveyLayer, fusedLayer, normalised, sinksOf, medianOf];
  parts.push(sweepHead, sweepWork, kernelWork, plainWork, readyKernels, packPanels, addBias, scorePanel, exponentiate);
  return `"use strict";\n${parts.join("\n")}\n(${listenForAsks})(self, ${JSON.stringify(kernelParts())});\n`;
}

export function kernelParts() {
  return { modules: kernelBytes().map((bytes) => [...bytes]), tile: { rows: ROWS, lanes: LANES, depth: DEPTH } };
}

function listenForAsks(scope, parts) {
  const kernels = readyKernels(parts);
  scope.onmessage = ({ data }) => {
    const answer = surveyorAnswer(data, kernels), { result = {} } = answer;
    const arrays = ArrayBuffer.isView(result) ? [result] : Object.values(result).filter(ArrayBuffer.isView);
    scope.postMessage(answer, arrays.map((array) => array.buffer));
  };
}
