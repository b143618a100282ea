// Numbers and tokens in words; the words themselves come from Python.

export function fill(template, values = {}) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// 34.2 %, 3.4 %, 0.34 %, 0.034 %.
export function percent(share) {
  const value = 100 * share;
  if (value > 0 && value < 0.001) return "< 0.001 %";
  return `${value.toFixed(value >= 1 || value === 0 ? 1 : value >= 0.1 ? 2 : 3)} %`;
}

export function tokenName(capture, texts, token) {
  const prefix = capture.prefix_names.length;
  if (token < prefix) return capture.prefix_names[token];
  const patch = token - prefix;
  return fill(texts.patch, { row: Math.floor(patch / capture.cols), col: patch % capture.cols });
}

export function headName(texts, head) {
  return head === null ? texts.mean : fill(texts.head, { head });
}
