// The layer control, the head tiles, the prefix chips and the options.

import { atlasCellAt } from "./atlas.js";
import { HOME, choose, setOption } from "./state.js";
import { buildChips, buildTiles } from "./view.js";

export function attachControls(app) {
  const { dom } = app;
  dom.slider.addEventListener("input", () => choose(app, { layer: Number(dom.slider.value) }));
  dom.previous.addEventListener("click", () => choose(app, { layer: app.choice.layer - 1 }));
  dom.next.addEventListener("click", () => choose(app, { layer: app.choice.layer + 1 }));
  dom.tiles.addEventListener("click", (event) => {
    const tile = dom.tile.find(({ button }) => button.contains(event.target));
    if (tile) choose(app, { head: tile.head });
  });
  dom.chips.addEventListener("click", (event) => {
    const token = dom.chip.indexOf(event.target);
    if (token >= 0) choose(app, { token: token === app.choice.token ? HOME : token });
  });
  dom.opacity.addEventListener("input", () => setOption(app, { opacity: Number(dom.opacity.value) }));
  dom.gridLines.addEventListener("change", () => setOption(app, { gridLines: dom.gridLines.checked }));
  dom.truePixels.addEventListener("change", () => setOption(app, { truePixels: dom.truePixels.checked }));
  dom.shared.addEventListener("change", () => setOption(app, { shared: dom.shared.checked }));
  dom.atlasButton.addEventListener("click", () => setOption(app, { atlas: !app.options.atlas }));
  dom.atlas.addEventListener("click", (event) => {
    const cell = atlasCellAt(app, event);
    if (cell) choose(app, cell);
  });
}

// What depends on the model's shape or on the language.
export function fillControls(app) {
  const { dom, capture, texts, options, session } = app;
  if (dom.tile?.length !== capture.num_heads + 1) buildTiles(dom, capture.num_heads);
  buildChips(dom, capture.prefix_names);
  app.root.style.setProperty("--layers", capture.num_layers);
  app.root.style.setProperty("--heads", capture.num_heads);
  app.root.classList.toggle("no-prefix", capture.prefix_names.length === 0);
  for (const { head, button, name } of dom.tile) {
    name.textContent = head === null ? texts.mean : head;
    button.setAttribute("aria-label", head === null ? texts.mean : texts.head.replace("{head}", head));
  }
  for (const [name, label] of Object.entries(dom.labels)) label.textContent = texts[name];
  dom.layerRange.textContent = texts.layer_range.replace("{last}", capture.num_layers - 1);
  dom.headsTitle.textContent = texts.heads;
  dom.tiles.setAttribute("aria-label", texts.heads);
  dom.chips.setAttribute("aria-label", texts.query);
  dom.queryHint.textContent = texts.query_hint;
  for (const [button, text] of [[dom.previous, texts.previous_layer], [dom.next, texts.next_layer]]) {
    button.setAttribute("aria-label", text);
    button.title = text;
  }
  dom.atlas.setAttribute("aria-label", texts.atlas);
  dom.slider.setAttribute("aria-label", texts.layer);
  dom.slider.max = capture.num_layers - 1;
  dom.opacity.value = options.opacity;
  dom.gridLines.checked = options.gridLines;
  dom.atlasButton.textContent = texts.atlas;
  dom.atlasHint.textContent = texts.atlas_hint;
  dom.badge.textContent = session.trained ? "" : texts.untrained;
  dom.caption.textContent = session.caption;
}
