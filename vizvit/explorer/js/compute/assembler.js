// WebAssembly from JavaScript: instructions are nested lists of bytes, a function is its locals and its instructions.

export const I32 = 0x7f, F32 = 0x7d, V128 = 0x7b;

// LEB128: whole numbers without and with a sign.
function unsigned(value) {
  const bytes = [];
  do bytes.push((value & 127) | (value > 127 ? 128 : 0));
  while ((value >>>= 7));
  return bytes;
}

function signed(value) {
  const bytes = [];
  for (;;) {
    const low = value & 127;
    value >>= 7;
    if (value === (low & 64 ? -1 : 0)) return [...bytes, low];
    bytes.push(low | 128);
  }
}

function float(value) {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

const simd = (code) => [0xfd, ...unsigned(code)];
const place = (code, align) => (address, offset = 0) => [address, code, align, unsigned(offset)];
const stores = (code, align) => (address, value, offset = 0) => [address, value, code, align, unsigned(offset)];
const two = (code) => (a, b) => [a, b, code];
const one = (code) => (a) => [a, code];
const three = (code) => (a, b, c) => [a, b, c, code];

export const get = (local) => [0x20, unsigned(local)];
export const set = (local, value) => [value, 0x21, unsigned(local)];
export const i32 = { const: (value) => [0x41, signed(value)], add: two(0x6a), mul: two(0x6c), less: two(0x49) };
export const f32 = {
  const: (value) => [0x43, float(value)], store: stores(0x38, 2), add: two(0x92), div: two(0x95), max: two(0x97),
};
export const v128 = {
  load: place(simd(0x00), 2), splatFrom: place(simd(0x09), 2), store: stores(simd(0x0b), 2), splat: one(simd(0x13)),
  all: (value) => [simd(0x0c), float(value), float(value), float(value), float(value)],
  lane: (value, lane) => [value, simd(0x1f), lane], shift: (value, by) => [value, i32.const(by), simd(0xab)],
  abs: one(simd(0xe0)), neg: one(simd(0xe1)),
  add: two(simd(0xe4)), sub: two(simd(0xe5)), mul: two(simd(0xe6)), div: two(simd(0xe7)),
  // One instruction each, where IEEE's minimum and maximum are many: of equal numbers, and beside NaN, the first.
  min: two(simd(0xea)), max: two(simd(0xeb)),
  // Of the relaxed instructions, which not every browser has: a · b + c, rounded once where the processor can.
  multiplyAdd: three(simd(0x105)),
};

// Repeats the body while a condition behind it holds: it runs at least once.
export function repeat(body, condition) {
  return [0x03, 0x40, body, condition, 0x0d, 0x00, 0x0b];
}

// functions: name -> { params: [type], locals: [type], code }. The module exports each, and the memory that it is given
// as import "env" "memory".
export function assemble(functions) {
  const entries = Object.entries(functions), text = (word) => [word.length, ...new TextEncoder().encode(word)];
  const section = (id, content) => [id, ...unsigned(content.length), ...content];
  const list = (items) => [...unsigned(items.length), ...items.flat()];
  const bodies = entries.map(([, { locals, code }]) => {
    const body = [...list(locals.map((type) => [1, type])), ...code.flat(Infinity), 0x0b];
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, list(entries.map(([, { params }]) => [0x60, ...list(params.map((type) => [type])), 0]))),
    ...section(2, list([[...text("env"), ...text("memory"), 0x02, 0x00, 1]])),
    ...section(3, list(entries.map((_, number) => unsigned(number)))),
    ...section(7, list(entries.map(([name], number) => [...text(name), 0x00, ...unsigned(number)]))),
    ...section(10, list(bodies)),
  ]);
}
