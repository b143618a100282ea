// Numbers as vizvit/numbers.py writes them, on the page and in files: "3.4 %", "−0.12", "2.4 × 10⁻⁶", "1,000".

const RAISED = { "-": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((digit, value) => [value, digit])) };

// A share in per cent with so many decimals; one that these would not tell from nothing has as many as it takes.
export function percent(share, decimals = 1) {
  const value = 100 * share, size = Math.abs(value);
  if (size === 0) return "0 %";
  if (size >= 10 ** -decimals) return `${fixedText(value, decimals)} %`;
  return `${size >= 1e-4 ? written(String(Number(value.toPrecision(2)))) : power(value)} %`;
}

// On a small map: nothing finer than a tenth.
export function percentShort(share) {
  return share > 0 && share < 0.0005 ? "< 0.1 %" : percent(share, share < 0.0995 ? 1 : 0);
}

// At a colour bar: three digits, whatever its ends.
export function percentOf(share) {
  return `${plain(100 * share, 3)} %`;
}

export function percentExact(share) {
  return `${plain(100 * share, 5)} %`;
}

// So many digits; of the large all whole ones, of the very small and very large a power of ten.
export function plain(value, digits = 4) {
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  if (size && (size < 1e-4 || size >= 1e6)) return power(value, 3);
  return written(size < 10 ** digits ? String(Number(value.toPrecision(digits)) + 0) : value.toFixed(0));
}

// At most so many digits times a power of ten; 0 is 0.
export function power(value, digits = 2) {
  if (!value) return "0";
  const [factor, exponent] = value.toExponential(digits - 1).split("e");
  return `${written(String(Number(factor)))} × 10${[...String(Number(exponent))].map((sign) => RAISED[sign]).join("")}`;
}

// A difference that may be rounding alone: below a thousandth as a power of ten.
export function roundingText(value) {
  return Math.abs(value) < 1e-3 ? power(value) : plain(value, 3);
}

export function fixedText(value, decimals) {
  return written((Number(value.toFixed(decimals)) + 0).toFixed(decimals));
}

export function natsText(value) {
  return fixedText(value, 2);
}

export function pixelsText(value) {
  return value === null ? "–" : `${plain(value, 3)} px`;
}

export function rounded(value) {
  return Number(value.toFixed(3));
}

// With a true minus sign, and the whole digits in threes.
function written(text) {
  const [whole, part] = text.replace("-", "−").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
}
