// The view as a file: pictures made here, and what Python makes.

import { notice } from "../draw/notice.js";
import { pinnedViews } from "../state/pins.js";
import { downloadBlob, rasterise } from "./download.js";
import { keepName, keepOther } from "./naming.js";
import { keepParts } from "./parts.js";
import { composeSheet } from "./sheet.js";

const MAKING_MS = 60_000; // after that something has gone wrong

export function saveSvg(app) {
  const { svg } = composeSheet(keepParts(app));
  downloadBlob(new Blob([svg], { type: "image/svg+xml" }), `${keepName(app)}.svg`);
}

export async function savePng(app) {
  const { svg, width, height } = composeSheet(keepParts(app));
  downloadBlob(await rasterise(svg, width, height, 2), `${keepName(app)}.png`);
}

// what: "npz", "handout" or "html". The answer comes as `receiveAnswer`. other: the linked view of a second capture.
export function askFile(app, what) {
  app.wanted = ++app.asked;
  notice(app, app.texts.making, true);
  app.noticeTimer = setTimeout(() => notice(app, app.texts.not_made), MAKING_MS);
  app.send("ask", { number: app.asked, what, view: app.settledView(), pins: pinnedViews(app), other: keepOther(app)?.choice ?? null });
}

// header: { number, what, file, type } with the file's bytes, or { number, what, error }. An answer to an earlier ask, or
// one that was taken already, changes nothing.
export function receiveAnswer(app, header, bytes) {
  if (header.number !== app.wanted) return;
  app.wanted = null;
  notice(app, header.error ?? "");
  if (!header.error) downloadBlob(new Blob([bytes], { type: header.type ?? "application/octet-stream" }), header.file);
}
