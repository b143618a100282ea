// Tokens, heads and views in words; the words themselves come from Python.

import { areaOf, queryOf } from "../state/state.js";

export function fill(template, values = {}) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function tokenName(capture, texts, token) {
  const prefix = capture.prefix_names.length;
  if (token < prefix) return prefixName(texts, capture.prefix_names[token]);
  const patch = token - prefix;
  return fill(texts.patch, { row: Math.floor(patch / capture.cols), col: patch % capture.cols });
}

// "class", "distillation", "register 1", in the language of the page.
export function prefixName(texts, name) {
  const [, kind, number] = /^(\S+?)(?: (\d+))?$/.exec(name) ?? [];
  const words = { class: texts.token_class, distillation: texts.token_distillation, register: texts.token_register };
  return fill(words[kind] ?? name, { number });
}

export function areaName(texts, [top, left, bottom, right]) {
  return fill(texts.area_name, { top, left, bottom, right, count: (bottom - top + 1) * (right - left + 1) });
}

export function headName(texts, head, fuse = "mean") {
  return head === null ? texts[`fuse_${fuse}`] : fill(texts.head, { head });
}

// "layer 4 · head 1", or "rollout · mean of heads".
export function viewName({ texts, choice }, layer = choice.layer, head = choice.head) {
  if ((choice.view ?? "attention") !== "attention") return `${texts[`view_${choice.view}`]} · ${texts.layer} ${layer}`;
  if (choice.rollout) return `${texts.rollout} · ${texts[`fuse_${choice.fuse}`]}`;
  return `${texts.layer} ${layer} · ${headName(texts, head, choice.fuse)}`;
}

export function queryName(app) {
  const area = areaOf(app);
  return area ? areaName(app.texts, area) : tokenName(app.a.capture, app.texts, queryOf(app));
}
