// Numbers and tokens in words; the words themselves come from Python.

export function fill(template, values = {}) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// 34.2 %, 3.4 %, 0.34 %, 0.034 %, 0 %.
export function percent(share) {
  const value = 100 * share, size = Math.abs(value);
  if (size > 0 && size < 0.001) return value < 0 ? "> −0.001 %" : "< 0.001 %";
  if (size === 0) return "0 %";
  return `${signed(value.toFixed(size >= 1 ? 1 : size >= 0.1 ? 2 : 3))} %`;
}

export function percentShort(share) {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

// As many digits as tell it from its neighbours, with a true minus sign.
export function plain(value, digits = 4) {
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  return signed(size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(digits))));
}

function signed(text) {
  return text.replace("-", "−");
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
