import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonCode } from "../../vizvit/explorer/js/keep/code.js";

const session = { python: ["import vizvit", "cap = …"] };
const capture = { prefix_names: ["class", "register 1"], cols: 5, num_layers: 6 };
const start = { layer: 4, head: null, token: 0, area: null, direction: "from", fuse: "mean", rollout: false };
const code = (choice = {}, options = {}, header = capture) => pythonCode(session, header, { ...start, ...choice }, options);
const line = (text, name) => text.split("\n").find((one) => one.startsWith(`${name} = `)).replace(`${name} = `, "").split("  #")[0];
const map = (...rest) => line(code(...rest), "heat");
const drawn = (...rest) => line(code(...rest), "picture");

test("the whole program", () => {
  assert.equal(code(), `from PIL import Image
import vizvit
cap = …

heat = vizvit.attention_map(cap, 4)  # [rows, cols]
picture = vizvit.overlay(cap.view, heat)  # uint8 [H, W, 3]
Image.fromarray(picture).save("attention.png")
`);
});

test("only what differs from the defaults is written", () => {
  const same = { scale: "own", curve: "linear", smooth: false, colours: "viridis", opacity: 0.6, gridLines: true };
  assert.equal(code({}, same), code());
});

test("heads and fusions", () => {
  assert.equal(map({ head: 0 }), "vizvit.attention_map(cap, 4, head=0)");
  assert.equal(map({ head: 0, fuse: "max" }), "vizvit.attention_map(cap, 4, head=0)");
  assert.equal(map({ fuse: "max" }), 'vizvit.attention_map(cap, 4, head_fusion="max")');
});

test("tokens, areas and directions", () => {
  assert.equal(map({ token: 1 }), "vizvit.attention_map(cap, 4, token=1)");
  assert.equal(map({ token: 2 + 13 }), 'vizvit.attention_map(cap, 4, token=("patch", 2, 3))');
  assert.equal(map({ token: 2 }), 'vizvit.attention_map(cap, 4, token=("patch", 0, 0))');
  assert.equal(map({ token: 2 + 6, area: [1, 1, 2, 3] }), "vizvit.attention_map(cap, 4, area=(1, 1, 2, 3))");
  assert.equal(map({ direction: "to" }), 'vizvit.attention_map(cap, 4, direction="to")');
});

test("without a class token every token is named", () => {
  const plain = { prefix_names: [], cols: 5 }, register = { prefix_names: ["register 1"], cols: 5 };
  assert.equal(map({}, {}, plain), 'vizvit.attention_map(cap, 4, token=("patch", 0, 0))');
  assert.equal(map({}, {}, register), "vizvit.attention_map(cap, 4, token=0)");
});

test("rollout has neither a layer nor a head", () => {
  assert.equal(map({ rollout: true, head: 3 }), "vizvit.rollout(cap)");
  assert.equal(map({ rollout: true, fuse: "min", token: 3, direction: "to" }),
    'vizvit.rollout(cap, head_fusion="min", token=("patch", 0, 1), direction="to")');
});

test("colours, opacity and smoothing", () => {
  assert.equal(drawn({}, { colours: "inferno", opacity: 0.35, smooth: true }),
    'vizvit.overlay(cap.view, heat, colormap="inferno", opacity=0.35, smooth=True)');
  assert.equal(drawn({}, { opacity: 0 }), "vizvit.overlay(cap.view, heat, opacity=0)");
  assert.equal(drawn({}, { curve: "log" }), "vizvit.overlay(cap.view, heat, log=True)");
});

test("how the map lies on the picture", () => {
  assert.equal(drawn({}, { opacity: 0.6, blend: "fade" }), 'vizvit.overlay(cap.view, heat, blend="fade")');
  assert.equal(drawn({}, { opacity: 0.6, blend: "veil" }), "vizvit.overlay(cap.view, heat)");
});

test("limits are computed where they are not the map's own", () => {
  const text = code({}, { scale: "percentile", curve: "log" });
  assert.match(text, /^from vizvit.figures import limits$/m);
  assert.match(text, /^low, high = limits\(heat, "percentile", log=True\)$/m);
  assert.equal(line(text, "picture"), "vizvit.overlay(cap.view, heat, low=low, high=high, log=True)");
  assert.match(code({}, { scale: "absolute" }), /^low, high = limits\(heat, "absolute"\)$/m);
});

test("a shared scale looks at all heads", () => {
  const text = code({ head: 2, token: 4 }, { scale: "shared" });
  assert.equal(line(text, "heads"),
    '[vizvit.attention_map(cap, 4, head=head, token=("patch", 0, 2)) for head in range(cap.num_heads)]');
  assert.match(text, /^low, high = limits\(heat, others=heads\)$/m);
  assert.match(code({ fuse: "max" }, { scale: "shared" }), /head=head\) for/);
});

test("of a comparison, the other map comes too", () => {
  const other = { capture: { prefix_names: [], cols: 4 }, choice: { ...start, layer: 2, token: 5 } };
  const text = pythonCode(session, capture, start, {}, other);
  assert.equal(line(text, "other_heat"), 'vizvit.attention_map(other, 2, token=("patch", 1, 1))');
  assert.equal(line(text, "heat"), "vizvit.attention_map(cap, 4)");
});

test("a file's name is quoted", () => {
  assert.match(code({}, { file: 'a "b" \\ 猫' }), /\.save\("a \\"b\\" \\\\ 猫\.png"\)/);
});

test("without lines from Python the rest still stands", () => {
  assert.match(pythonCode({}, capture, start), /^heat = /m);
});
