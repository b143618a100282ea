// The walk in a page that runs the model itself: where one is, which stage is drawn, and what comes of a choice.
//
// For tests, the element of the walk carries data-stage, data-layer, data-head, data-token, and data-drawn, how often a
// stage was drawn; `__walk.made` has the numbers of the stage that is drawn.

import { percent } from "../js/draw/numbers.js";
import { fill } from "../js/draw/words.js";
import { foremost } from "../js/lesson/prediction.js";
import { drawHeads, drawMlp, drawNorm, drawQkv, drawScores, drawSum, leadHeads, leadMlp } from "./blockstages.js";
import { drawDepth, drawHead, leadDepth } from "./endingstages.js";
import { drawEmbedding, drawFlatten, drawPatches, drawPosition, drawTokens, leadEmbedding, leadPosition } from "./enteringstages.js";
import { networkOf } from "./network.js";
import { resized, takeColours } from "./raster.js";
import { createSurface } from "./surface.js";
import { escaped, number } from "./written.js";

const DRAWINGS = {
  patches: { draw: drawPatches }, flatten: { draw: drawFlatten }, embedding: { lead: leadEmbedding, draw: drawEmbedding }, tokens: { draw: drawTokens },
  position: { lead: leadPosition, draw: drawPosition }, norm: { draw: drawNorm }, qkv: { draw: drawQkv }, scores: { draw: drawScores }, sum: { draw: drawSum },
  heads: { lead: leadHeads, draw: drawHeads }, mlp: { lead: leadMlp, draw: drawMlp }, depth: { lead: leadDepth, draw: drawDepth }, head: { draw: drawHead },
};
const SIDE = 480, THUMBNAIL = 80; // pixels of the picture, and of the one in the network

// box: where it is drawn; words: as vizvit/walk/content.py writes them; model: the description; labels; samples: [{ title,
// image }]; colours: name -> RGBA bytes; weights(): where they come from, in words; ask(asked): has the worker answer, see
// byhand/steps.js; chosen(place): tells of a choice. Returns { take(answer), arrive(), open(), close(), follow(choice) }.
export default function createWalk({ box, words, labels, samples, colours, weights, ask, chosen }) {
  const { texts: t, stages, kind, numbers } = words, dark = matchMedia("(prefers-color-scheme: dark)");
  const walk = { tour: words.tour, place: { layer: null, head: null, token: null, patch: null, ...words.place }, answer: null, open: false, waiting: false, again: false, options: {}, of: null };
  walk.stage = walk.tour ? walk.tour.stages[0] : 1;
  takeColours(colours);
  const surface = createSurface(box, () => (dark.matches ? "dark" : "light"), send, (key, value) => {
    walk.options[key] = value;
    refresh();
  });
  surface.wayOut.addEventListener("click", () => {
    walk.tour = null;
    draw();
  });
  dark.addEventListener("change", () => walk.answer && draw());

  const stageNames = () => (walk.tour ? walk.tour.stages : stages.map((_, index) => index + 1));

  function send(name, value) {
    if (name === "go") walk.stage = value;
    else choose(name === "layer" ? { layer: value } : value);
    refresh();
  }

  function choose(change) {
    const { layer, head, token, row, col } = walk.answer.place;
    walk.place = { layer, head, token, patch: [row, col], ...change };
    chosen({ layer: walk.place.layer, head: walk.place.head, token: walk.place.token });
  }

  function refresh() {
    if (!walk.open || !walk.of) return;
    if (walk.waiting) return void (walk.again = true);
    walk.waiting = true;
    ask({ name: stages[walk.stage - 1].name, place: walk.place, kind, batch: walk.options.batch ?? 1 });
  }

  function take(answer) {
    walk.waiting = false;
    const wanted = answer.name === stages[walk.stage - 1].name;
    if (wanted) walk.answer = answer;
    if (walk.again || !wanted) {
      walk.again = false;
      refresh();
    }
    if (wanted && walk.open) draw();
  }

  // A new picture has been run through the model.
  function arrive(model, id) {
    walk.of = { model, id };
    refresh();
  }

  function draw() {
    const { answer, of, stage } = walk, { name, uses, title, shape, text } = stages[stage - 1], { model } = of, place = answer.place, prefix = model.prefix;
    const now = nowAt(answer, model);
    surface.bar({
      current: stage, stages: stageNames(), names: stages.map((one) => t[`stage_${one.name}`]), title, fixed: false,
      network: networkOf(now, stages, predictionOf(answer.logits), thumbnailOf()),
      words: { stages: t.stages, back: t.back, next: t.next, layer: t.choose_layer, own_block: t.spine_own_block },
    });
    surface.say(walk.tour?.notes[stage] ?? "", filled(text, place));
    surface.begin();
    const { lead, draw: drawStage } = DRAWINGS[name];
    if (lead) {
      surface.into("small");
      controls(now, uses);
      surface.into("large");
      lead(now);
      surface.into("main");
    } else if (uses.length) controls(now, uses);
    drawStage(now);
    if (answer.made.absent) surface.show("absent", `<p>${escaped(fill(t[answer.made.absent], { model: numbers.model, read_out: words.read_out }))}</p>`);
    surface.end(fill(words.note, { weights: weights() }), walk.tour && stage === walk.tour.stages.at(-1) ? fill(t.lesson_end, { count: stages.length }) : "");
    Object.assign(box.dataset, { stage, shape, layer: place.layer, head: place.head, token: place.token, prefix, drawn: Number(box.dataset.drawn ?? 0) + 1 });
    box.__walk = { made: answer.made };
  }

  // What a drawing is made from.
  function nowAt(answer, model) {
    const { place, made } = answer, onPatch = place.token >= model.prefix;
    return {
      t, kind, made, place, model, words, samples, colours, prefix: words.prefix, picture: answer, photo: photoOf(answer, model),
      numbers: { ...numbers, layer: place.layer, head: place.head, row: place.row, col: place.col },
      grid: { rows: model.rows, cols: model.cols, prefix: model.prefix }, patch: onPatch ? [place.row, place.col] : null,
      query: onPatch ? fill(words.patch_query, place) : words.prefix_queries[place.token], outline: answer.outline,
      label: (index) => escaped(labels[index].split(", ")[0]), told: (value) => (kind === "value" ? number(value) : percent(value)),
      show: (name, ...parts) => surface.show(name, parts.join("")), live: surface.live,
      choose: (key, label, options) => surface.choose(key, label, options, walk.options[key] ?? options[0][0]),
    };
  }

  function controls({ place, model, photo }, uses) {
    const said = Object.fromEntries(["picture", "query", "patch", "layer", "head"].map((name) => [name, t[`choose_${name}`]]));
    surface.live("place", "place", {
      image: photo, rows: model.rows, cols: model.cols, patch: [place.row, place.col], token: place.token, prefix: words.prefix, layers: model.layers, layer: place.layer,
      heads: model.heads, head: place.head, uses, found: place.found && uses.includes("head") ? t.found_head : "", fixed: false, words: said,
    });
  }

  function photoOf({ view }, { rows, cols, patch_size: size }) {
    if (walk.photoOf !== walk.of.id) {
      const [height, width] = [rows * size, cols * size];
      Object.assign(walk, { photoOf: walk.of.id, photo: resized(view, height, width, SIDE), thumbnail: resized(view, height, width, THUMBNAIL) });
    }
    return walk.photo;
  }

  const thumbnailOf = () => walk.thumbnail;

  function predictionOf(logits) {
    if (!logits) return [];
    return foremost(logits, labels, kind).slice(0, 3).map(({ name, text, share }) => ({ name: `${text} ${name}`, share: share ?? 0 }));
  }

  function filled(text, place) {
    return Object.entries(words.live).reduce((whole, [name, letter]) => whole.replaceAll(letter, place[name]), text);
  }

  return {
    take, arrive,
    open() {
      walk.open = true;
      refresh();
    },
    close: () => (walk.open = false),
    fail: () => (walk.waiting = walk.again = false),
    // What was chosen elsewhere: a token before the patches, and the heads as one, are not followed.
    follow({ layer, head, token }) {
      const { prefix, cols } = walk.of.model, onPatch = token >= prefix;
      walk.place = { ...walk.place, layer, head, ...(onPatch && { token, patch: [Math.floor((token - prefix) / cols), (token - prefix) % cols] }) };
      refresh();
    },
  };
}
