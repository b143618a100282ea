// The one attention weight that is read out and explained, and whether the engine is to be asked for it.

import { peakPatch, shownRow } from "./content.js";
import { areaOf, queryOf } from "./state.js";

// The token whose number is read: under the pointer, or kept.
export function readToken(app) {
  return app.inspect?.token ?? (app.folds.why || app.tool === "read" ? app.choice.key : null);
}

// Which weight is explained: the one under the pointer, the one kept, or the greatest. A fusion has no q·k of its own,
// so the head that gives most to it stands for it.
export function subjectOf(app) {
  const { choice, inspect, a } = app;
  const token = readToken(app) ?? choice.key ?? peakPatch(a, shownRow(a));
  let head = inspect && inspect.head !== undefined ? inspect.head : choice.head;
  if (head === null) {
    const values = a.content.items.slice(1).map(({ row }) => row[token]);
    head = values.indexOf(Math.max(...values));
  }
  const [query, key] = choice.direction === "from" ? [queryOf(app), token] : [token, queryOf(app)];
  return { layer: choice.layer, head, query, key };
}

export function stampOfCheck(side, { layer, head, query, key }) {
  return [side.capture.capture, layer, head, query, key].join();
}

// What to ask the engine for, or null where nothing is to be asked.
export function wantedCheck(app) {
  const { folds, choice, session, a } = app;
  if (!folds.why || choice.rollout || areaOf(app) || session.standalone || !a.content?.items.length) return null;
  const asked = subjectOf(app);
  return app.answers?.has(stampOfCheck(a, asked)) ? null : asked;
}
