// The layer control, the head tiles, the choices and the options: what they do, and how they show the state.

import { atlasCellAt } from "./atlas.js";
import { layerOn } from "./content.js";
import { FUSIONS, SCALES, TOOLS } from "./keyboard.js";
import { fillMenu } from "./menu.js";
import { pinView } from "./pins.js";
import { stopPlay, togglePlay } from "./play.js";
import { HOME, areaOf, choose, queryOf, setOption, show, toggleFold } from "./state.js";
import { buildChips, buildTiles, fillSelect, keepFocus } from "./view.js";
import { fill, headName, prefixName } from "./words.js";

const SPEEDS = [0.5, 1, 2, 4];
const COLOURS = ["viridis", "cividis", "inferno"];

export function attachControls(app) {
  const { dom } = app;
  dom.slider.addEventListener("input", () => choose(app, { layer: Number(dom.slider.value) }));
  dom.previous.addEventListener("click", () => choose(app, { layer: app.choice.layer - 1 }));
  dom.next.addEventListener("click", () => choose(app, { layer: app.choice.layer + 1 }));
  dom.rollout.addEventListener("click", () => {
    if (app.playing) stopPlay(app);
    choose(app, { rollout: !app.choice.rollout });
  });
  dom.play.addEventListener("click", () => togglePlay(app));
  dom.speed.addEventListener("change", () => show(app, { speed: Number(dom.speed.value) }));
  app.chooseTile = (tile) => {
    if (!app.choice.rollout) choose(app, { head: tile.head });
    else if (tile.head !== null) choose(app, { layer: tile.head }); // a step of the chain opens its layer
  };
  dom.tiles.addEventListener("click", (event) => {
    const tile = dom.tile.find(({ button }) => button.contains(event.target));
    if (tile) app.chooseTile(tile);
  });
  dom.chips.addEventListener("click", (event) => {
    const token = dom.chip.indexOf(event.target);
    if (token >= 0) choose(app, { token: token === app.choice.token && !app.choice.area ? HOME : token });
  });
  onChoice(dom.direction, (direction) => choose(app, { direction }));
  onChoice(dom.fuse, (fuse) => choose(app, { fuse, head: null, rollout: app.choice.rollout }));
  onChoice(dom.tool, (tool) => show(app, { tool }));
  const { scale, curve, smooth, colours } = dom.selects;
  scale.addEventListener("change", () => setOption(app, { scale: scale.value }));
  curve.addEventListener("change", () => setOption(app, { curve: curve.value }));
  smooth.addEventListener("change", () => setOption(app, { smooth: smooth.value === "smooth" }));
  colours.addEventListener("change", () => setOption(app, { colours: colours.value }));
  dom.opacity.addEventListener("input", () => setOption(app, { opacity: Number(dom.opacity.value) }));
  for (const name of ["grid_lines", "true_pixels"]) dom[name].addEventListener("change", () => setOption(app, { [name]: dom[name].checked }));
  for (const [name, button] of Object.entries(dom.foldButtons)) button.addEventListener("click", () => toggleFold(app, name));
  dom.pin.addEventListener("click", () => pinView(app));
  dom.atlas.addEventListener("click", (event) => {
    const cell = atlasCellAt(app, event);
    if (cell) choose(app, cell);
  });
}

function onChoice({ buttons }, act) {
  for (const button of buttons) button.addEventListener("click", () => act(button.dataset.value));
}

// What depends on the model's shape or on the language.
export function fillControls(app) {
  const { dom, texts, session, a: { capture } } = app;
  keepFocus(dom.chips, () => buildChips(dom, capture.prefix_names.map((name) => prefixName(texts, name))));
  app.root.style.setProperty("--layers", capture.num_layers);
  app.root.style.setProperty("--heads", capture.num_heads);
  app.root.classList.toggle("no-prefix", capture.prefix_names.length === 0);
  for (const [name, label] of Object.entries(dom.labels)) label.textContent = texts[name];
  for (const [name, button] of Object.entries(dom.foldButtons)) button.textContent = texts[`fold_${name}`];
  for (const [choice, values, prefix] of [[dom.direction, ["from", "to"], "direction"], [dom.fuse, FUSIONS, "fuse_short"], [dom.tool, TOOLS, "tool"]]) {
    choice.box.setAttribute("aria-label", texts[choice === dom.fuse ? "fuse" : choice === dom.tool ? "pointer" : "direction"]);
    values.forEach((value, i) => Object.assign(choice.buttons[i], { textContent: texts[`${prefix}_${value}`], title: texts[`${prefix}_${value}_hint`] ?? "" }));
  }
  fillSelect(dom.selects.scale, SCALES.map((scale) => [scale, texts[`scale_${scale}`]]));
  fillSelect(dom.selects.curve, ["linear", "log"].map((curve) => [curve, texts[`curve_${curve}`]]));
  fillSelect(dom.selects.smooth, [["patches", texts.patches], ["smooth", texts.smoothed]]);
  fillSelect(dom.selects.colours, COLOURS.map((name) => [name, name]));
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
  dom.rollout.title = texts.rollout_hint;
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
  fillMenu(app);
}

export function drawControls(app) {
  const { dom, choice, texts, options, a: { capture } } = app;
  drawTileNames(app);
  dom.layer.textContent = choice.rollout ? texts.rollout_layer : choice.layer;
  dom.slider.value = choice.layer;
  app.root.style.setProperty("--layer", choice.layer);
  app.root.classList.toggle("rolled-out", choice.rollout);
  dom.slider.setAttribute("aria-valuetext", `${texts.layer} ${choice.layer}`);
  dom.previous.disabled = choice.layer === 0;
  dom.next.disabled = choice.layer === capture.num_layers - 1;
  dom.rollout.setAttribute("aria-pressed", choice.rollout);
  dom.play.setAttribute("aria-pressed", Boolean(app.playing));
  dom.play.textContent = app.playing ? "❚❚" : "▶";
  dom.play.title = app.playing ? texts.pause : texts.play;
  dom.play.setAttribute("aria-label", dom.play.title);
  for (const { head, button } of dom.tile) {
    const chosen = choice.rollout ? head === null : head === choice.head;
    button.setAttribute("aria-checked", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  mark(dom.direction, choice.direction);
  mark(dom.fuse, choice.fuse);
  mark(dom.tool, app.tool);
  const touch = matchMedia("(pointer: coarse)").matches;
  dom.queryHint.textContent = { look: touch ? texts.hint_touch : texts.query_hint, area: texts.tool_area_hint, read: texts.tool_read_hint }[app.tool];
  app.root.classList.toggle("reads", app.tool === "read" || app.folds.why || choice.key !== null);
  app.root.classList.toggle("looks", app.tool === "look");
  const { scale, curve, smooth, colours } = dom.selects;
  Object.assign(scale, { value: options.scale });
  Object.assign(curve, { value: options.curve });
  Object.assign(smooth, { value: options.smooth ? "smooth" : "patches" });
  Object.assign(colours, { value: options.colours });
  dom.opacity.value = options.opacity;
  dom.grid_lines.checked = options.grid_lines;
  dom.true_pixels.checked = options.true_pixels;
  for (const [name, button] of Object.entries(dom.foldButtons)) {
    button.setAttribute("aria-expanded", app.folds[name]);
    dom.foldBodies[name].hidden = !app.folds[name];
  }
  dom.chip.forEach((chip, token) => {
    chip.setAttribute("aria-pressed", token === choice.token);
    chip.classList.toggle("is-query", !areaOf(app) && token === queryOf(app));
  });
  if (app.b) drawTitles(app);
}

function mark({ buttons }, value) {
  for (const button of buttons) {
    const chosen = button.dataset.value === value;
    button.setAttribute("aria-checked", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
}

// The tiles are the heads of a layer, or the steps of the rollout's chain.
function drawTileNames(app) {
  const { dom, choice, texts, a: { capture } } = app, count = choice.rollout ? capture.num_layers : capture.num_heads;
  const stamp = [choice.rollout, choice.fuse, count, texts.layer].join();
  if (dom.tileStamp === stamp) return;
  dom.tileStamp = stamp;
  if (dom.tile?.length !== count + 1) keepFocus(dom.tiles, () => buildTiles(dom, count));
  for (const { head, button, name } of dom.tile) {
    const step = head === 0 ? `${texts.layer} 0` : fill(texts.step, { last: head });
    const whole = choice.rollout ? texts.rollout : headName(texts, null, choice.fuse);
    name.textContent = head === null ? (choice.rollout ? whole : texts[`fuse_short_${choice.fuse}`]) : choice.rollout ? step : head;
    button.setAttribute("aria-label", head === null ? whole : choice.rollout ? step : headName(texts, head));
  }
  dom.headsTitle.textContent = choice.rollout ? texts.steps : texts.heads;
  dom.tiles.setAttribute("aria-label", dom.headsTitle.textContent);
  app.arrangeSoon();
}

function drawTitles({ dom, session, texts, a, b, choice }) {
  dom.figures.a.title.textContent = session.title ?? "";
  const linked = !choice.rollout && b.capture.num_layers !== a.capture.num_layers;
  const layer = linked ? ` · ${texts.layer} ${layerOn({ a, b, choice }, b)}` : "";
  dom.figures.b.title.textContent = b.title + layer;
}
