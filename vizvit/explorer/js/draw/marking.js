// How patches are marked, on every picture of every page: a line, and beneath it a wider one that shows on any picture.

// colour, edge (of the wider one): of the two; line, wide: their widths in pixels; fade: the wider one's opacity.
export const MARKS = {
  query: { colour: "var(--accent)", line: 3, edge: "#fff", wide: 5.5, fade: 0.9, dashes: "" },
  inspect: { colour: "#fff", line: 2, edge: "#000", wide: 4, fade: 0.55, dashes: "" }, // under the pointer
  artefact: { colour: "#26c6da", line: 1.75, edge: "#000", wide: 3.5, fade: 0.55, dashes: "" },
  outstanding: { colour: "#fff", line: 1.5, edge: "#000", wide: 3.25, fade: 0.6, dashes: "" }, // in a rollout
  peak: { colour: "#fff", line: 1.25, edge: "#000", wide: 3, fade: 0.55, dashes: "3 2.5" },
};
export const SMALL = { // the same on a head's map
  query: { ...MARKS.query, line: 1.5, wide: 2.5, fade: 0.85 },
  inspect: { ...MARKS.inspect, line: 1, wide: 2, fade: 1 },
};

// The attributes of the two lines as SVG draws them, the wider one first.
export function strokesOf({ colour, line, edge, wide, fade, dashes }) {
  return [
    { stroke: edge, "stroke-width": wide, "stroke-opacity": fade },
    { stroke: colour, "stroke-width": line, "stroke-opacity": 1, ...(dashes && { "stroke-dasharray": dashes }) },
  ];
}

// The two lines as a CSS shadow around an element, which leaves what is inside to be seen.
export function ringOf({ colour, line, edge, wide, fade }) {
  return `0 0 0 ${line}px ${colour}, 0 0 0 ${(line + wide) / 2}px color-mix(in srgb, ${edge} ${100 * fade}%, transparent)`;
}
