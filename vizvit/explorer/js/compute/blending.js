// How a map lies on its picture, as vizvit/figures/blend.py has it: each of its 256 colours with an opacity of its own.

export const BLENDS = ["fade", "light", "veil"];
const DIM = 0.5, DULL = 0.4, GREY = 44; // of the picture beneath a fading map: towards grey, and towards its own luma

// RGBA for each of 256 colours. "fade": as opaque as the value is great, over a dimmed picture; "light": darkness where
// the value is small; "veil": all alike. signed: the middle colour stands for 0.
export function blendTable(colours, blend, opacity, signed = false) {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const place = signed ? Math.abs((2 * i) / 255 - 1) : i / 255;
    const own = [colours[i] & 255, (colours[i] >> 8) & 255, (colours[i] >> 16) & 255];
    if (blend === "veil") return rgba(own, opacity);
    if (blend === "light") return rgba([0, 0, 0], opacity * (1 - place));
    const most = Math.sqrt(opacity), over = most * place, dim = DIM * most * (1 - over), whole = over + dim;
    return rgba(own.map((part) => (part * over + GREY * dim) / (whole || 1)), whole);
  });
}

// How much of a picture's own colour is left beneath a map, 0 to 1.
export function saturationOf(blend, opacity) {
  return blend === "fade" ? 1 - DULL * Math.sqrt(opacity) : 1;
}

// From black to white, for maps that are shown by brightness.
export const GREYS = Uint32Array.from({ length: 256 }, (_, i) => rgba([i, i, i], 1));

function rgba([red, green, blue], opacity) {
  const parts = [red, green, blue, 255 * opacity].map((part) => Math.round(part));
  return (parts[0] | (parts[1] << 8) | (parts[2] << 16) | (parts[3] << 24)) >>> 0;
}
