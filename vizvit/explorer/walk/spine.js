// The whole network as one picture: every stage a part of it, the residual stream through all of them, the layers as
// slabs. Drawn from what the model has; a part is { stage, x, y, width, label }.

const SVG = "http://www.w3.org/2000/svg";
export const WIDE = 904, HIGH = 138;
const STREAM = 74, HALF = 13; // the residual stream's height; half of a box
const [JOIN, FORK, ADDED, READ, END, HEAD] = [238, 300, 668, 682, 772, 802];
const BRANCH = [[6, 312, 58], [7, 377, 62], [8, 446, 62], [9, 515, 68], [10, 590, 58]]; // stage, x, width

// network: see spine.py. Returns the parts' elements by stage and the slabs.
export function drawSpine(svg, network, names, words) {
  const { outline } = network;
  const serial = outline.arrangement === "serial", known = outline.arrangement !== "other";
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
  svg.replaceChildren(arrowHead());
  const add = (...parts) => svg.append(...parts);
  const flow = (d, width = 1.5, kind = "") => add(node("path", { class: `flow ${kind}`, d, "stroke-width": width }));

  add(node("rect", { class: "room", x: FORK - 8, y: 3, width: END + 24 - FORK, height: HIGH - 6, rx: 8 }));
  flow(`M40 ${STREAM}H52M92 ${STREAM}H104`, thickness(network.values));
  add(node("path", { class: "stream", d: `M192 ${STREAM}H${HEAD}`, "stroke-width": thickness(network.dim) }));
  const widths = { attention: branch(outline.attention, outline.stream), mlp: branch(outline.mlp, outline.stream) };
  if (known) {
    const end = serial ? ADDED : END;
    flow(`M${FORK} ${STREAM}C${FORK} 46 ${FORK} 46 ${BRANCH[0][1]} 46`, 1.5, "arrow");
    for (let i = 1; i < BRANCH.length; i++) flow(`M${BRANCH[i - 1][1] + BRANCH[i - 1][2]} 46H${BRANCH[i][1]}`);
    flow(`M648 46H${end - 12}C${end} 46 ${end} 46 ${end} ${STREAM - 9}`, widths.attention, "adds");
    const from = serial ? READ : FORK;
    flow(`M${from} ${STREAM}C${from} 110 ${from} 110 ${serial ? 692 : 446} 110`, 1.5, "arrow");
    flow(`M${serial ? 752 : 508} 110H${END - 10}C${END} 110 ${END} 110 ${END} ${STREAM + 9}`, widths.mlp, "adds");
    if (serial) add(...plus(ADDED));
    add(...plus(END));
  }
  joins(network, flow, add);

  const parts = { 1: picture(network), 2: box(2, 104, 58, 88, names), 3: box(3, 104, 90, 88, names) };
  parts[4] = box(4, 198, 31, 80, names, outline.prefix.length ? "" : "without");
  parts[5] = box(5, 198, 117, 80, names, outline.added || outline.rotated || outline.biased ? "" : "without");
  for (const [stage, x, width] of BRANCH) parts[stage] = box(stage, x, 46, width, names, known ? "" : "own");
  parts[11] = box(11, serial || !known ? 692 : 446, 110, 60, names, known ? "" : "own");
  parts[12] = box(12, FORK, 17, 78, names, "title");
  parts[13] = box(13, HEAD, STREAM, 96, names);
  parts[1].append(text(72, 110, `1 ${names[0]}`, "label"));
  add(...Object.values(parts));
  add(...counts(outline), text(HEAD + 48, 52, network.read_out, "caption"), ...outcome(network));
  add(text(312, 92, network.residual, "caption start"));
  if (!known) add(text((FORK + END) / 2, 110, words.own_block, "caption"));
  const slabs = layers(network, words);
  add(slabs.group, text(slabs.end + 8, 21, network.layer_name, "caption start"));
  return { parts, slabs: slabs.all };
}

// Half of the square root, so that 192 and 1024 differ and both fit: 48 → 1.8, 192 → 3.5, 768 → 7, 1024 → 8.
export function thickness(width) {
  return Math.min(Math.max(Math.sqrt(width) / 4, 1.2), 9);
}

// A branch is as thick as what it adds is long beside the token that it adds to.
export function branch(added, stream) {
  return added === null || !(stream > 0) ? 1.5 : Math.min(1 + (8 * added) / stream, 12);
}

// Where prefix tokens and places come in: onto the stream, or by turning queries and keys, or as a bias on the scores.
function joins({ outline }, flow, add) {
  const { added, rotated, biased, prefix } = outline;
  if (prefix.length) flow(`M${JOIN} 44V${STREAM - 9}`, 1.5, "arrow");
  if (added) flow(`M${JOIN} 104V${STREAM + 9}`, 1.5, "arrow");
  if (prefix.length || added) add(...plus(JOIN));
  if (rotated) flow("M278 124H408V60", 1.5, "arrow by-place");
  if (biased) flow("M278 124H477V60", 1.5, "arrow by-place");
}

function box(stage, x, middle, width, names, kind = "") {
  const name = `${stage} ${names[stage - 1]}`;
  const label = text(x + width / 2, middle + 4.5, name, "label");
  const part = node("g", { class: `part ${kind}`, "data-part": stage },
    node("rect", { x, y: middle - HALF, width, height: 2 * HALF, rx: 4 }), label);
  if (textWidth(name) > width - 6) {
    label.setAttribute("textLength", width - 8);
    label.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
  return part;
}

// About what 13 px letters take: a full-width one 13, a narrow one 6.7.
function textWidth(name) {
  return [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) > 0x2e80 ? 12.5 : 6.7), 0);
}

function picture({ image, rows, cols }) {
  const lines = [];
  const few = Math.min(Math.max(rows, cols), 8); // as many as can be told apart at this size
  for (let i = 1; i < few; i++) lines.push(`M${52 + (40 * i) / few} 54v40M52 ${54 + (40 * i) / few}h40`);
  const at = (x) => node("image", { href: image, x, y: 54, width: 40, height: 40, preserveAspectRatio: "xMidYMid slice" });
  return node("g", { class: "part", "data-part": 1 }, at(0), at(52),
    node("path", { class: "cuts", d: lines.join("") }), node("rect", { class: "frame", x: 52, y: 54, width: 40, height: 40, rx: 3 }));
}

// A square for each token before the patches, the class token's filled.
function counts({ prefix }) {
  return prefix.slice(0, 8).map((name, index) =>
    node("rect", { class: name === "class" ? "token first" : "token", x: 200 + 9 * index, y: 6, width: 7, height: 7, rx: 1.5 }));
}

function layers({ layers: count, layer }, words) {
  const step = Math.min(16, 260 / count), left = FORK + 88;
  const all = [...Array(count).keys()].map((index) =>
    node("rect", { class: "slab", x: left + step * index, y: 9, width: Math.max(step - 3, 2), height: 16, rx: 2,
      role: "radio", "aria-checked": index === layer, "aria-label": `${words.layer} ${index}`, tabindex: index === layer ? 0 : -1 }));
  return { all, group: node("g", { role: "radiogroup", "aria-label": words.layer }, ...all), end: left + step * count };
}

// The likeliest classes as bars, or how many numbers are handed on where there are no classes.
function outcome({ prediction, features }) {
  if (!prediction.length) return [text(HEAD + 48, 108, features, "caption")];
  return prediction.flatMap(({ name, share }, index) => [
    node("rect", { class: "share", x: HEAD, y: 93 + 14 * index, width: 96 * share, height: 12, rx: 1.5 }),
    squeezed(HEAD + 3, 103 + 14 * index, name, WIDE - HEAD - 5),
  ]);
}

// A name in a room that it may be a little too long for: set closer, and cut where that is not enough.
function squeezed(x, y, name, room) {
  const letters = [...name], widths = letters.map((letter) => 0.84 * textWidth(letter)); // a caption's
  let count = letters.length, width = widths.reduce((sum, one) => sum + one, 0);
  while (width > 1.15 * room) width -= widths[--count];
  const cut = count < letters.length, element = text(x, y, cut ? `${letters.slice(0, count - 1).join("").trimEnd()}…` : name, "caption start over");
  if (width > room) for (const [key, value] of [["textLength", room], ["lengthAdjust", "spacingAndGlyphs"]]) element.setAttribute(key, value);
  if (cut) element.append(node("title", {}, name));
  return element;
}

function plus(x) {
  return [node("circle", { class: "add", cx: x, cy: STREAM, r: 8 }), node("path", { class: "add", d: `M${x - 4} ${STREAM}h8M${x} ${STREAM - 4}v8` })];
}

function arrowHead() {
  return node("defs", {}, node("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7,
    markerUnits: "userSpaceOnUse", orient: "auto" }, node("path", { d: "M0 0 8 4 0 8z" })));
}

function text(x, y, words, kind) {
  const element = node("text", { x, y, class: kind });
  element.textContent = words;
  return element;
}

function node(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
