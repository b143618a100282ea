// What stands on top of the walk: the network with the current part lit, the stage's title and shape, back and next, and
// the arrow keys.

import { drawSpine } from "./spine.js";

const bars = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let bar = bars.get(parentElement);
  if (!bar) {
    bar = build(parentElement);
    bars.set(parentElement, bar);
  }
  const arrived = bar.data?.current !== data.current;
  Object.assign(bar, { data, send: setTriggerValue, current: data.current });
  const focused = bar.svg.contains(bar.svg.getRootNode().activeElement);
  Object.assign(bar, drawSpine(bar.svg, data.network, data.names, data.words));
  wire(bar);
  draw(bar);
  if (focused) bar.parts[bar.current].focus();
  if (arrived) toTop(); // a page and a stage open at their top
  return () => {
    document.removeEventListener("keydown", bar.listen);
    bars.delete(parentElement);
  };
}

function build(parentElement) {
  const frame = parentElement.querySelector(".bar");
  const bar = { frame };
  for (const part of ["spine", "svg", "back", "next", "title", "shape"]) bar[part] = frame.querySelector(`.${part}`);
  bar.back.addEventListener("click", () => go(bar, beside(bar, -1)));
  bar.next.addEventListener("click", () => go(bar, beside(bar, 1)));
  bar.listen = (event) => key(bar, event);
  document.addEventListener("keydown", bar.listen);
  return bar;
}

function wire(bar) {
  for (const [stage, part] of Object.entries(bar.parts)) {
    const open = bar.data.stages.includes(Number(stage));
    part.classList.toggle("closed", !open); // not of this lesson
    if (!open) continue;
    part.setAttribute("role", "button");
    part.setAttribute("aria-label", `${stage} ${bar.data.names[stage - 1]}`);
    part.setAttribute("aria-description", bar.data.network.parts[stage - 1].join(" · "));
    part.addEventListener("click", () => go(bar, Number(stage)));
    part.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      go(bar, Number(stage));
    });
    for (const over of ["pointerenter", "focus"]) part.addEventListener(over, () => tellOf(bar, Number(stage)));
    for (const out of ["pointerleave", "blur"]) part.addEventListener(out, () => tellOf(bar, bar.current));
  }
  if (bar.data.fixed) return;
  bar.slabs.forEach((slab, layer) => {
    const choose = (wanted) => wanted >= 0 && wanted < bar.slabs.length && wanted !== bar.data.network.layer && bar.send("layer", wanted);
    slab.addEventListener("click", () => choose(layer));
    slab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Enter: 0, " ": 0 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      choose(layer + step);
    });
  });
}

function draw(bar) {
  const { names, words, network } = bar.data;
  bar.frame.setAttribute("aria-label", words.stages);
  for (const [stage, part] of Object.entries(bar.parts)) {
    const number = Number(stage);
    part.classList.toggle("passed", number < bar.current);
    if (bar.data.stages.includes(number)) part.setAttribute("tabindex", number === bar.current ? 0 : -1);
    if (number === bar.current) part.setAttribute("aria-current", "step");
    else part.removeAttribute("aria-current");
  }
  bar.slabs.forEach((slab, layer) => slab.classList.toggle("chosen", layer === network.layer));
  const [before, after] = [names[beside(bar, -1) - 1], names[beside(bar, 1) - 1]];
  bar.back.textContent = `← ${before ?? ""}`;
  bar.next.textContent = `${after ?? ""} →`;
  bar.back.title = `${words.back} (←)`;
  bar.next.title = `${words.next} (→)`;
  bar.back.setAttribute("aria-label", `${words.back}: ${before ?? ""}`);
  bar.next.setAttribute("aria-label", `${words.next}: ${after ?? ""}`);
  bar.back.disabled = before === undefined;
  bar.next.disabled = after === undefined;
  bar.title.textContent = bar.current === bar.data.current ? bar.data.title : names[bar.current - 1];
  tellOf(bar, bar.current);
  show(bar);
  bar.frame.dataset.stage = bar.data.current;
  bar.frame.classList.toggle("fixed", bar.data.fixed);
}

// A part's shape and what it adds; its name, too, while it is not the current one.
function tellOf(bar, stage) {
  const facts = bar.data.network.parts[stage - 1];
  const name = `${stage} ${bar.data.names[stage - 1]}`;
  bar.shape.textContent = (stage === bar.current ? facts : [name, ...facts]).join(" · ");
}

// The stage before or after the current one; undefined at the ends.
function beside(bar, step) {
  return bar.data.stages[bar.data.stages.indexOf(bar.current) + step];
}

function go(bar, stage) {
  if (!bar.data.stages.includes(stage) || stage === bar.current) return;
  bar.current = stage; // at once, so that a second press goes on from here
  draw(bar);
  toTop();
  bar.send("go", stage);
}

function toTop() {
  (document.querySelector('[data-testid="stMain"]') ?? window).scrollTo({ top: 0, behavior: "instant" });
}

// On a narrow screen the picture scrolls sideways: keep the current part in its middle.
function show(bar) {
  const part = bar.parts[bar.current].getBoundingClientRect(), frame = bar.spine.getBoundingClientRect();
  bar.spine.scrollBy({ left: part.left + part.width / 2 - frame.left - frame.width / 2, behavior: "instant" });
}

const WIDGETS = "input, textarea, select, button, summary, [contenteditable=true], [role=slider], [role=application]";

function key(bar, event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!bar.frame.getClientRects().length) return; // not open
  if (!step || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const path = event.composedPath().filter((node) => node instanceof Element);
  if (!path.includes(bar.frame) && path.some((node) => node.matches(WIDGETS))) return;
  event.preventDefault();
  const focused = bar.svg.contains(bar.svg.getRootNode().activeElement);
  go(bar, beside(bar, step));
  if (focused) bar.parts[bar.current].focus();
}
