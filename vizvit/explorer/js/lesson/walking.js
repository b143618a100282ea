// The walk beside the explorer: which of the two is open, and what goes from one to the other.

import { element } from "../draw/elements.js";
import { fromBase64 } from "../forward/weights.js";
import { readPicture } from "./pictures.js";

const NONE = { arrive() {}, take() {}, fail() {}, follow() {} };

// boxes: { rooms, explorer, walk }, elements; parts: as vizvit/explorer/lesson.py writes them; engine: of the worker;
// weights(): of the model in words; select(place): has the explorer look from there. Nothing where the page has no walk.
export function createWalking({ rooms, explorer, walk: box }, parts, engine, { weights, select }) {
  if (!parts.walk) return NONE;
  const { model, labels, samples, colours, walk: words, texts } = parts;
  let sent = false, chosen = null; // whether the samples are in the worker; a place that the explorer has not heard of
  const walk = globalThis.vizvitParts.walk({
    box, words, labels, weights, colours: Object.fromEntries(Object.entries(colours).map(([name, text]) => [name, fromBase64(text)])),
    samples: samples.map(({ title, type, data }) => ({ title, image: `data:${type};base64,${data}` })),
    chosen: (place) => (chosen = place),
    async ask(asked) {
      const compares = asked.batch > 1 || (asked.name === "head" && asked.kind === "features");
      if (compares && !sent) engine.samples(await Promise.all(samples.map(({ type, data }) => readPicture(new Blob([fromBase64(data)], { type })))));
      sent ||= compares;
      engine.stage(asked);
    },
  });
  const buttons = ["explore", "walk"].map((name) => element("button", { type: "button", "data-room": name }, texts[`room_${name}`]));

  function open(name) {
    buttons.forEach((button) => button.setAttribute("aria-pressed", button.dataset.room === name));
    document.body.dataset.room = name;
    explorer.hidden = name !== "explore";
    box.hidden = name !== "walk";
    if (name === "walk") return walk.open();
    walk.close();
    if (chosen) select(chosen);
    chosen = null;
  }

  buttons.forEach((button) => button.addEventListener("click", () => {
    open(button.dataset.room);
    if (!box.hidden) box.focus({ preventScroll: true }); // so that arrow keys go from stage to stage
  }));
  rooms.append(...buttons);
  rooms.setAttribute("aria-label", texts.rooms);
  open(words.tour ? "walk" : "explore");
  return { take: walk.take, fail: walk.fail, follow: walk.follow, arrive: (id) => walk.arrive(model, id) };
}
