// What the layer control, the head tiles, the choices and the options do.

import { atlasCellAt } from "../draw/atlas.js";
import { pinView } from "../keep/pinning.js";
import { choose, setOption, show, toggleFold } from "../state/changes.js";
import { isFeatured } from "../state/featureviews.js";
import { HOME } from "../state/state.js";
import { stopPlay, togglePlay } from "./play.js";

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
    if (isFeatured(app)) choose(app, { layer: tile.head });
    else if (!app.choice.rollout) choose(app, { head: tile.head });
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
  onChoice(dom.view, (view) => choose(app, { view }));
  onChoice(dom.direction, (direction) => choose(app, { direction }));
  onChoice(dom.fuse, (fuse) => choose(app, { fuse, head: null, rollout: app.choice.rollout }));
  onChoice(dom.steps, (steps) => choose(app, { steps }));
  onChoice(dom.tool, (tool) => show(app, { tool }));
  const { scale, curve, smooth, colours, blend } = dom.selects;
  scale.addEventListener("change", () => setOption(app, { scale: scale.value }));
  curve.addEventListener("change", () => setOption(app, { curve: curve.value }));
  smooth.addEventListener("change", () => setOption(app, { smooth: smooth.value === "smooth" }));
  colours.addEventListener("change", () => setOption(app, { colours: colours.value }));
  blend.addEventListener("change", () => setOption(app, { blend: blend.value }));
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
