// Everything the pointer does, from the keyboard.

import { BLENDS } from "../compute/blending.js";
import { areaBetween, placeOf, stepPatch } from "../compute/patches.js";
import { pinView } from "../keep/pinning.js";
import { choose, setOption, show, toggleFold } from "../state/changes.js";
import { isFeatured } from "../state/featureviews.js";
import { prefixCount } from "../state/sides.js";
import { FUSIONS, HOME, TOOLS, VIEWS, areaOf, queryOf, scalesOf } from "../state/state.js";
import { openKeep } from "./menu.js";
import { togglePlay } from "./play.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const LAYERS = { PageUp: 1, PageDown: -1, "]": 1, "[": -1 };
const TYPING_MS = 700;

const ACTIONS = {
  d: (app) => choose(app, { direction: app.choice.direction === "from" ? "to" : "from" }),
  f: (app) => choose(app, { head: null, fuse: after(FUSIONS, app.choice.fuse), rollout: app.choice.rollout }),
  o: (app) => choose(app, { rollout: !app.choice.rollout }),
  x: (app) => show(app, { tool: after(TOOLS, app.tool) }),
  w: (app) => toggleFold(app, "why"),
  a: (app) => toggleFold(app, "atlas"),
  n: (app) => toggleFold(app, "numbers"),
  s: (app) => setOption(app, { scale: after(scalesOf(app), app.options.scale) }),
  l: (app) => setOption(app, { curve: app.options.curve === "log" ? "linear" : "log" }),
  m: (app) => setOption(app, { smooth: !app.options.smooth }),
  g: (app) => setOption(app, { grid_lines: !app.options.grid_lines }),
  v: (app) => setOption(app, { blend: after(BLENDS, app.options.blend) }),
  e: (app) => choose(app, { view: after(VIEWS, app.choice.view) }),
  t: nextPrefixToken,
  p: pinView,
  k: openKeep,
  " ": togglePlay,
  "?": (app) => app.dom.help.showModal(),
};

const OF_ATTENTION = "dfwanslv"; // keys of what features have not

export function attachKeyboard(app) {
  app.dom.figures.a.picture.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS) || hasModifier(event)) return;
    event.preventDefault();
    walk(app, STEPS[event.key], event.shiftKey);
  });
  app.dom.tiles.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || hasModifier(event)) return;
    event.preventDefault();
    const tiles = app.dom.tile.filter(({ button }) => !button.hidden), at = tiles.findIndex(({ button }) => button.tabIndex === 0);
    const focused = tiles.findIndex(({ button }) => button === event.target), from = app.choice.rollout && focused >= 0 ? focused : at;
    const tile = tiles[(from + step[0] + step[1] + tiles.length) % tiles.length];
    if (!app.choice.rollout) app.chooseTile(tile); // a step of the chain is opened by Enter
    tile.button.focus();
  });
  app.dom.atlas.addEventListener("keydown", (event) => {
    const step = STEPS[event.key], { num_layers: layers, num_heads: heads } = app.a.capture;
    if (!step || hasModifier(event)) return;
    event.preventDefault();
    const head = Math.min(Math.max((app.choice.head ?? (step[0] > 0 ? -1 : 0)) + step[0], 0), heads - 1);
    choose(app, { layer: Math.min(Math.max(app.choice.layer + step[1], 0), layers - 1), head });
  });
  for (const choice of ["view", "direction", "tool", "fuse", "steps"]) roam(app.dom[choice].box);
  app.root.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, dialog, dialog *, .menu *");
    if (hasModifier(event) || event.defaultPrevented) return;
    if (event.key === "Escape" && app.drag) {
      show(app, { drag: null, pressed: null });
    } else if (event.key === "Escape" && !typing) {
      Object.assign(app, { hover: null, inspect: null, pressed: null });
      choose(app, { token: HOME, key: null });
    } else if (event.key in LAYERS && !event.target.matches("dialog, dialog *, .layers")) {
      event.preventDefault();
      choose(app, { layer: app.choice.layer + LAYERS[event.key] });
    } else if (!typing && /^\d$/.test(event.key)) {
      typeHead(app, event);
    } else if (!typing && event.key in ACTIONS && !(event.key === " " && event.target.matches("button, .fold"))) {
      event.preventDefault();
      if (!isFeatured(app) || !OF_ATTENTION.includes(event.key)) ACTIONS[event.key](app);
    } else return;
    event.stopPropagation(); // Streamlit has shortcuts of its own on some of these keys
  });
}

// From a patch to the first prefix token, from there to the next.
function nextPrefixToken(app) {
  const count = prefixCount(app.a), token = queryOf(app);
  if (count) choose(app, { token: token < count ? (token + 1) % count : 0 });
}

// Digits typed in quick succession are one number.
function typeHead(app, { key, timeStamp }) {
  const featured = isFeatured(app), heads = featured ? app.a.capture.num_layers : app.a.capture.num_heads, { digits = "", at = -Infinity } = app.typed ?? {};
  const both = timeStamp - at < TYPING_MS && Number(digits + key) < heads ? digits + key : key;
  app.typed = { digits: both, at: timeStamp };
  if (Number(both) < heads) choose(app, featured ? { layer: Number(both) } : { head: Number(both) });
}

// Arrows move the query, with Shift the far corner of a rectangle; while numbers are read, the token that is read.
function walk(app, step, extend) {
  const { choice, a: { capture } } = app;
  if (app.tool === "read") {
    return choose(app, { key: stepPatch(capture, choice.key ?? queryOf(app), ...step) });
  }
  const area = areaOf(app), prefix = prefixCount(app.a);
  const tokenAt = (row, col) => prefix + row * capture.cols + col;
  if (extend) {
    const anchor = placeOf(capture, choice.token) ? choice.token : stepPatch(capture, choice.token, 0, 0);
    const [row, col] = placeOf(capture, anchor), [top, left, bottom, right] = area ?? [row, col, row, col];
    const corner = tokenAt(top === row ? bottom : top, left === col ? right : left); // opposite the anchor
    const moved = areaBetween(capture, anchor, stepPatch(capture, corner, ...step));
    app.hover = null;
    const single = moved[0] === moved[2] && moved[1] === moved[3];
    return choose(app, { token: anchor, area: single ? null : moved });
  }
  const token = stepPatch(capture, queryOf(app), ...step);
  app.hover = null; // a resting mouse pointer steps aside
  choose(app, { token });
}

// Arrow keys within a group of radio buttons.
function roam(box) {
  box.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS) || hasModifier(event)) return;
    event.preventDefault();
    const buttons = [...box.children], at = buttons.findIndex((button) => button.tabIndex === 0), [down, right] = STEPS[event.key];
    const button = buttons[(at + down + right + buttons.length) % buttons.length];
    button.click();
    button.focus();
  });
}

function after(list, value) {
  return list[(list.indexOf(value) + 1) % list.length];
}

function hasModifier(event) {
  return event.ctrlKey || event.metaKey || event.altKey;
}
