// From the state to the screen: one call draws one frame.

import { attentionRows, entropy, meanOfHeads, peakOf, rankOf, rawScore, shareOf } from "./attention.js";
import { paintCanvas } from "./colour.js";
import { layerOf, prefixCount, queryOf } from "./state.js";
import { fill, headName, percent, tokenName } from "./words.js";

export function drawFrame(app) {
  const { root, choice, capture } = app, started = performance.now();
  const query = queryOf(app), layer = layerOf(app, choice.layer);
  root.classList.toggle("fetching", !layer);
  drawControls(app, layer);
  drawMarks(app, query);
  if (!layer) return; // the maps of the layer before stay, dimmed
  computeRows(app, layer, query);
  drawMaps(app, query);
  if (!root.dataset.ready) performance.mark("vizvit-ready");
  Object.assign(root.dataset, {
    query: String(query), layer: String(choice.layer), head: choice.head === null ? "mean" : String(choice.head),
    rows: String(capture.rows), cols: String(capture.cols), ready: "true",
  });
  if (app.hover !== null) root.dataset.frameMs = (performance.now() - started).toFixed(2);
}

function computeRows(app, layer, query) {
  const size = layer.heads * layer.tokens;
  if (app.rows?.length !== size) Object.assign(app, { rows: new Float32Array(size), mean: null });
  attentionRows(layer, query, app.rows);
  if (app.mean?.length !== layer.tokens) app.mean = new Float32Array(layer.tokens);
  meanOfHeads(app.rows, layer.tokens, app.mean);
}

// Nothing of the capture before may stand over a new picture while its layer is being fetched.
export function clearMaps({ dom }) {
  const canvases = [dom.overlay, ...(dom.tile ?? []).map((tile) => tile.map)];
  for (const canvas of canvases) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  for (const part of Object.values(dom.reading)) part.replaceChildren("–");
  for (const tile of dom.tile ?? []) tile.share.textContent = "";
  dom.scaleEnd.textContent = "";
}

// The current row of a head, [key]; null is the mean.
export function rowOf(app, head) {
  const { num_tokens: tokens } = app.capture;
  return head === null ? app.mean : app.rows.subarray(head * tokens, (head + 1) * tokens);
}

function drawMaps(app, query) {
  const { dom, capture, choice, options, colours } = app, prefix = prefixCount(app);
  const { rows, cols } = capture;
  const views = dom.tile.map(({ head }) => rowOf(app, head));
  const maxima = views.map((row) => row[peakOf(row, prefix)]);
  const common = Math.max(...maxima);
  dom.tile.forEach((tile, i) => {
    paintCanvas(tile.map, views[i], prefix, rows, cols, options.shared ? common : maxima[i], colours);
    if (!prefix) return;
    const share = shareOf(views[i], prefix);
    tile.share.textContent = percentShort(share);
    tile.bar.style.setProperty("--share", share.toFixed(4));
  });
  const shown = choice.head === null ? 0 : choice.head + 1;
  const maximum = options.shared ? common : maxima[shown];
  paintCanvas(dom.overlay, views[shown], prefix, rows, cols, maximum, colours);
  dom.scaleEnd.textContent = percent(maximum);
  drawReading(app, query, views[shown]);
}

function drawReading(app, query, row) {
  const { dom, capture, texts, choice, inspect } = app, prefix = prefixCount(app);
  const peak = peakOf(row, prefix);
  const put = (name, ...parts) => dom.reading[name].replaceChildren(...parts);
  const quiet = (text) => Object.assign(document.createElement("small"), { textContent: text });
  const name = (token) => tokenName(capture, texts, token);
  const nats = entropy(row).toFixed(2), limit = Math.log(capture.num_tokens).toFixed(2);
  put("from", name(query), quiet(`${texts.layer} ${choice.layer} · ${headName(texts, choice.head)}`));
  put("peak", name(peak), quiet(percent(row[peak])));
  put("entropy", fill(texts.entropy_value, { entropy: nats }), quiet(fill(texts.entropy_limit, { limit })));
  if (prefix) put("prefix", percent(shareOf(row, prefix)), quiet(prefixParts(capture, row)));
  placeMark(app, "peak", peak === query ? -1 : peak);
  app.sentence = fill(texts.sentence, {
    layer: choice.layer, head: headName(texts, choice.head), query: name(query), peak: name(peak),
    share: percent(row[peak]), entropy: nats,
  }) + (prefix ? fill(texts.sentence_prefix, { share: percent(shareOf(row, prefix)) }) : "");

  if (!inspect) return put("under", "–", quiet(texts.under_hint));
  const head = inspect.head === undefined ? choice.head : inspect.head, values = rowOf(app, head);
  const details = { rank: rankOf(values, inspect.token), head: headName(texts, head) };
  let text = fill(texts.under_details, details);
  if (head !== null) {
    const score = rawScore(layerOf(app, choice.layer), head, query, inspect.token);
    text += fill(texts.under_score, { score: score.toFixed(1) });
  }
  put("under", `${name(inspect.token)} · ${percent(values[inspect.token])}`, quiet(text));
}

// "class 3.1 % · register 1 9.0 %" for up to three prefix tokens; more are only summed up.
function prefixParts(capture, row) {
  const names = capture.prefix_names;
  if (names.length > 3) return `${names.length} tokens`;
  return names.length < 2 ? names[0] : names.map((name, token) => `${name} ${percentShort(row[token])}`).join(" · ");
}

function percentShort(share) {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

function drawMarks(app, query) {
  const { root, capture, inspect, options } = app, patch = query - prefixCount(app);
  root.classList.toggle("prefix-query", patch < 0);
  root.style.setProperty("--q-row", Math.max(0, Math.floor(patch / capture.cols)));
  root.style.setProperty("--q-col", Math.max(0, patch % capture.cols));
  placeMark(app, "query", query);
  placeMark(app, "inspect", inspect ? inspect.token : -1);
  const read = inspect ? inspect.token - prefixCount(app) : -1;
  root.classList.toggle("inspecting", read >= 0);
  root.style.setProperty("--i-row", Math.max(0, Math.floor(read / capture.cols)));
  root.style.setProperty("--i-col", Math.max(0, read % capture.cols));
  root.style.setProperty("--opacity", options.opacity);
  root.classList.toggle("grid-lines", options.gridLines);
  root.classList.toggle("true-pixels", options.truePixels);
}

function placeMark(app, name, token) {
  const { cols } = app.capture, patch = token - prefixCount(app);
  for (const rect of app.dom.marks[name]) {
    rect.style.display = patch < 0 ? "none" : "";
    rect.setAttribute("x", Math.max(0, patch % cols));
    rect.setAttribute("y", Math.max(0, Math.floor(patch / cols)));
  }
}

function drawControls(app, layer) {
  const { dom, choice, texts, options } = app;
  dom.layer.textContent = choice.layer;
  dom.slider.value = choice.layer;
  app.root.style.setProperty("--layer", choice.layer);
  dom.slider.setAttribute("aria-valuetext", `${texts.layer} ${choice.layer}`);
  dom.previous.disabled = choice.layer === 0;
  dom.next.disabled = choice.layer === app.capture.num_layers - 1;
  dom.fetching.textContent = layer ? "" : fill(texts.fetching, { layer: choice.layer });
  dom.scaleText.textContent = options.shared ? texts.scale_shared : texts.scale_own;
  for (const { head, button } of dom.tile) {
    const chosen = head === choice.head;
    button.setAttribute("aria-checked", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  dom.chip.forEach((chip, token) => {
    chip.setAttribute("aria-pressed", token === choice.token);
    chip.classList.toggle("is-query", token === queryOf(app));
  });
}
