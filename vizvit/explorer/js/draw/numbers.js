// Numbers as they are written, on the page and in files.

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

export function percentExact(share) {
  return `${plain(100 * share, 5)} %`;
}

// As many digits as tell it from its neighbours, with a true minus sign.
export function plain(value, digits = 4) {
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  return signed(size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(digits))));
}

export function natsText(value) {
  return value.toFixed(2);
}

export function pixelsText(value) {
  return value === null ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} px`;
}

export function rounded(value) {
  return Number(value.toFixed(3));
}

function signed(text) {
  return text.replace("-", "−");
}
