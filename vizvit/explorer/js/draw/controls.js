// How the controls show the state.

import { layerOn } from "../state/counterparts.js";
import { isFeatured } from "../state/featureviews.js";
import { layerAtHand } from "../state/sides.js";
import { areaOf, queryOf } from "../state/state.js";
import { keepFocus, setText } from "./elements.js";
import { buildTiles } from "./view.js";
import { fill, headName } from "./words.js";

export function drawControls(app) {
  const { dom, choice, texts, options, a: { capture } } = app;
  drawTileNames(app);
  setText(dom.layer, choice.rollout ? texts.rollout_layer : choice.layer);
  dom.slider.value = choice.layer;
  app.root.style.setProperty("--layer", choice.layer);
  app.root.classList.toggle("rolled-out", choice.rollout);
  app.root.classList.toggle("changes", choice.rollout && choice.steps === "changes");
  dom.slider.setAttribute("aria-valuetext", `${texts.layer} ${choice.layer}`);
  dom.previous.disabled = choice.layer === 0 || layerAtHand(app, choice.layer - 1, choice.layer) >= choice.layer;
  dom.next.disabled = choice.layer === capture.num_layers - 1 || layerAtHand(app, choice.layer + 1, choice.layer) <= choice.layer;
  dom.rollout.setAttribute("aria-pressed", choice.rollout);
  dom.play.setAttribute("aria-pressed", Boolean(app.playing));
  setText(dom.play, app.playing ? "❚❚" : "▶");
  dom.play.title = app.playing ? texts.pause : texts.play;
  dom.play.setAttribute("aria-label", dom.play.title);
  for (const { head, button } of dom.tile) {
    const chosen = isFeatured(app) ? head === choice.layer : choice.rollout ? head === null : head === choice.head;
    button.setAttribute("aria-checked", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  mark(dom.direction, choice.direction);
  mark(dom.fuse, choice.fuse);
  mark(dom.steps, choice.steps);
  mark(dom.tool, app.tool);
  const touch = matchMedia("(pointer: coarse)").matches;
  const hints = { look: touch ? texts.hint_touch : texts.query_hint, area: texts.tool_area_hint, read: texts.tool_read_hint };
  setText(dom.queryHint, isFeatured(app) ? "" : hints[app.tool]);
  app.root.classList.toggle("reads", app.tool === "read" || app.folds.why || choice.key !== null);
  app.root.classList.toggle("looks", app.tool === "look");
  const { scale, curve, smooth, colours, blend } = dom.selects;
  Object.assign(scale, { value: options.scale === "apart" && !app.b ? "own" : options.scale });
  Object.assign(curve, { value: options.curve });
  Object.assign(smooth, { value: options.smooth ? "smooth" : "patches" });
  Object.assign(colours, { value: options.colours });
  Object.assign(blend, { value: options.blend });
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
  const { dom, choice, texts, a: { capture } } = app, layers = isFeatured(app), changes = choice.rollout && choice.steps === "changes";
  const count = choice.rollout || layers ? capture.num_layers : capture.num_heads;
  const stamp = [choice.rollout, changes, choice.view, choice.fuse, count, texts.layer].join();
  if (dom.tileStamp === stamp) return;
  dom.tileStamp = stamp;
  if (dom.tile?.length !== count + 1) keepFocus(dom.tiles, () => buildTiles(dom, count));
  for (const { head, button, name } of dom.tile) {
    const step = head === 0 || changes ? `${texts.layer} ${head}` : fill(texts.step, { last: head });
    const whole = choice.rollout ? texts.rollout : headName(texts, null, choice.fuse);
    const short = choice.rollout && !changes && head ? `0–${head}` : head;
    name.textContent = head === null ? (choice.rollout ? whole : texts[`fuse_short_${choice.fuse}`]) : short;
    button.setAttribute("aria-label", head === null ? whole : choice.rollout ? step : headName(texts, head));
    button.hidden = (layers && head === null) || (changes && head === 0); // the large picture shows it; nothing was before it
    if (layers && head !== null) button.setAttribute("aria-label", `${texts.layer} ${(name.textContent = head)}`);
  }
  dom.headsTitle.textContent = layers ? texts.by_layer : changes ? texts.changes_note : choice.rollout ? texts.steps : texts.heads;
  dom.tiles.setAttribute("aria-label", dom.headsTitle.textContent);
  app.arrangeSoon();
}

function drawTitles({ dom, session, texts, a, b, choice }) {
  setText(dom.figures.a.title, session.title ?? "");
  const linked = !choice.rollout && b.capture.num_layers !== a.capture.num_layers;
  const layer = linked ? ` · ${texts.layer} ${layerOn({ a, b, choice }, b)}` : "";
  setText(dom.figures.b.title, b.title + layer);
}
