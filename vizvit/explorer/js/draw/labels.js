// What the controls are called and what they offer: it depends on the model's shape and on the language.

import { BLENDS } from "../compute/blending.js";
import { isWhole } from "../state/sides.js";
import { FUSIONS, TOOLS, scalesOf } from "../state/state.js";
import { fillSelect, keepFocus } from "./elements.js";
import { fillViews } from "./views.js";
import { buildChips } from "./view.js";
import { fill, prefixName } from "./words.js";

const SPEEDS = [0.5, 1, 2, 4];
const COLOURS = ["viridis", "cividis", "inferno"];

// What depends on the model's shape or on the language.
export function fillControls(app) {
  const { dom, texts, session, a: { capture } } = app;
  keepFocus(dom.chips, () => buildChips(dom, capture.prefix_names.map((name) => prefixName(texts, name))));
  app.root.style.setProperty("--layers", capture.num_layers);
  app.root.style.setProperty("--heads", capture.num_heads);
  app.root.classList.toggle("no-prefix", capture.prefix_names.length === 0);
  for (const [name, label] of Object.entries(dom.labels)) label.textContent = texts[name];
  for (const [name, button] of Object.entries(dom.foldButtons)) button.textContent = texts[`fold_${name}`];
  for (const [choice, values, prefix] of [[dom.direction, ["from", "to"], "direction"], [dom.fuse, FUSIONS, "fuse_short"], [dom.tool, TOOLS, "tool"], [dom.steps, ["chain", "changes"], "steps"]]) {
    choice.box.setAttribute("aria-label", texts[{ fuse_short: "fuse", tool: "pointer", steps: "rollout" }[prefix] ?? prefix]);
    values.forEach((value, i) => Object.assign(choice.buttons[i], { textContent: texts[`${prefix}_${value}`], title: texts[`${prefix}_${value}_hint`] ?? "" }));
  }
  fillSelect(dom.selects.scale, scalesOf(app).map((scale) => [scale, texts[app.b && scale === "own" ? "scale_together" : `scale_${scale}`]]));
  fillSelect(dom.selects.curve, ["linear", "log"].map((curve) => [curve, texts[`curve_${curve}`]]));
  fillSelect(dom.selects.smooth, [["patches", texts.patches], ["smooth", texts.smoothed]]);
  fillSelect(dom.selects.colours, COLOURS.map((name) => [name, name]));
  fillSelect(dom.selects.blend, BLENDS.map((blend) => [blend, texts[`blend_${blend}`]]));
  fillSelect(dom.speed, SPEEDS.map((speed) => [speed, `${speed}×`]));
  dom.speed.value = app.speed;
  dom.speed.setAttribute("aria-label", texts.speed);
  dom.layerRange.textContent = fill(texts.layer_range, { last: capture.num_layers - 1 });
  dom.chips.setAttribute("aria-label", texts.query);
  for (const [button, text] of [[dom.previous, texts.previous_layer], [dom.next, texts.next_layer], [dom.keys, texts.keys], [dom.pin, texts.pin_hint]]) {
    button.setAttribute("aria-label", text);
    button.title = text;
  }
  dom.pin.textContent = texts.pin;
  dom.pin.setAttribute("aria-label", texts.pin);
  dom.keep.textContent = texts.keep;
  dom.rollout.textContent = texts.rollout;
  dom.rollout.disabled = !isWhole(app);
  dom.rollout.title = dom.rollout.disabled ? texts.rollout_needs_all : texts.rollout_hint;
  dom.atlas.setAttribute("aria-label", texts.atlas_label);
  dom.atlasHint.textContent = texts.atlas_hint;
  dom.slider.setAttribute("aria-label", texts.layer);
  dom.slider.max = capture.num_layers - 1;
  for (const [side, name] of [[app.a, "a"], [app.b, "b"]]) {
    if (side) dom.figures[name].badge.textContent = side.trained ? "" : texts.untrained;
  }
  const home = capture.prefix_names.length ? prefixName(texts, capture.prefix_names[0]) : "0";
  for (const [name, text] of [["a", texts.picture], ["b", texts.picture_b], ["d", texts.difference]]) {
    dom.figures[name].picture.setAttribute("aria-label", fill(text, { home }));
  }
  dom.figures.d.title.textContent = texts.difference;
  dom.caption.textContent = session.caption;
  dom.tileStamp = null;
  fillViews(app);
}
