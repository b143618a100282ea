// Surveys and fused matrices of whole layers, off the main thread, so that the pointer never waits for them.
//
// The worker's script is the text of the functions that it needs: there is no file to fetch, in an app or in a saved
// page. Where no worker can be had, the same work is done here, a layer at a time.

import { normalised } from "./chain.js";
import { exponentiate, fusedLayer, medianOf, packPanels, scorePanel, sinksOf, surveyLayer, sweepHead, sweepWork } from "./survey.js";

// ask(kind, side, index, args, priority): "survey" with args { layer, geometry }, answered by what surveyLayer returns; or
//   "fused" with { layer, how, residual }, answered by fusedLayer's matrix, as Ã where a residual is given. args.layer: the
//   decoded arrays, or a function that gives them when their turn comes (null: dropped). Asking again for what still waits
//   moves it up. The highest priority (0 by default) goes first, and among equals the newest.
// cancel(side): nothing more comes of that side's asks. close(): nothing more comes at all.
// onDone({ kind, side, index, how, result }), or with `error`, a sentence, instead of `result`.
export function createSurveyor(onDone) {
  const waiting = new Map(); // name -> job
  let running = null, worker = null, address = null, timer = 0, count = 0, closed = false, alone = false;

  function ask(kind, side, index, args, priority = 0) {
    const name = JSON.stringify([kind, side, index, args.how, args.residual]);
    if (closed || (running?.name === name && !running.dropped)) return;
    waiting.set(name, { name, kind, side, index, args, priority, order: count++, dropped: false });
    wake();
  }

  function wake() {
    if (!running && waiting.size) timer ||= setTimeout(begin, 0); // after all that is asked in this turn
  }

  function begin() {
    timer = 0;
    if (!waiting.size) return;
    running = [...waiting.values()].sort((a, b) => b.priority - a.priority || b.order - a.order)[0];
    waiting.delete(running.name);
    const { kind, args } = running, layer = typeof args.layer === "function" ? args.layer() : args.layer;
    if (!layer) {
      running = null;
      return wake();
    }
    const { heads, tokens, dim, scale, queries, keys, bias, biasHeads } = layer; // keyMean would bring the whole blob along
    const arrays = { heads, tokens, dim, scale, queries, keys, bias, biasHeads };
    running.work = { kind, arrays, geometry: args.geometry, how: args.how, residual: args.residual };
    if (!worker && !alone) employ();
    try {
      if (worker) return worker.postMessage(running.work);
    } catch {
      dismiss();
    }
    finish(surveyorAnswer(running.work));
  }

  function employ() {
    try {
      address = URL.createObjectURL(new Blob([surveyorSource()], { type: "text/javascript" }));
      worker = new Worker(address);
      worker.onmessage = ({ data }) => finish(data);
      worker.onerror = worker.onmessageerror = (event) => {
        event.preventDefault();
        dismiss();
        if (running) timer = setTimeout(() => ((timer = 0), finish(surveyorAnswer(running.work))), 0);
      };
    } catch {
      dismiss();
    }
  }

  function dismiss() {
    worker?.terminate();
    if (address) URL.revokeObjectURL(address);
    worker = address = null;
    alone = true;
  }

  function finish(answer) {
    const { kind, side, index, args, dropped } = running;
    running = null;
    wake();
    if (!dropped) onDone({ kind, side, index, how: args.how, ...answer });
  }

  function cancel(side) {
    for (const [name, job] of waiting) if (job.side === side) waiting.delete(name);
    if (running?.side === side) running.dropped = true;
  }

  function close() {
    closed = true;
    clearTimeout(timer);
    waiting.clear();
    running = null;
    dismiss();
  }

  return { ask, cancel, close };
}

// { result } or { error }, from the arrays alone.
function surveyorAnswer({ kind, arrays, geometry, how, residual }) {
  try {
    if (kind === "survey") return { result: surveyLayer(arrays, geometry) };
    const fused = fusedLayer(arrays, how);
    return { result: residual === undefined ? fused : normalised(fused, arrays.tokens, residual) };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
}

// The whole script of the worker.
export function surveyorSource() {
  const parts = [surveyorAnswer, surveyLayer, fusedLayer, normalised, sinksOf];
  parts.push(medianOf, sweepWork, sweepHead, packPanels, scorePanel, exponentiate);
  return `"use strict";\n${parts.join("\n")}\n(${listenForAsks})(self);\n`;
}

function listenForAsks(scope) {
  scope.onmessage = ({ data }) => {
    const answer = surveyorAnswer(data), { result = {} } = answer;
    const arrays = ArrayBuffer.isView(result) ? [result] : Object.values(result).filter(ArrayBuffer.isView);
    scope.postMessage(answer, arrays.map((array) => array.buffer));
  };
}
