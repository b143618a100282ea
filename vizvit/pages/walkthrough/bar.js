// The stage bar: numbered steps, the running shape beneath the current one, back and next, and the arrow keys.

const bars = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let bar = bars.get(parentElement);
  if (!bar) {
    bar = build(parentElement);
    bars.set(parentElement, bar);
  }
  Object.assign(bar, { data, send: setTriggerValue, current: data.current });
  draw(bar);
  return () => {
    document.removeEventListener("keydown", bar.listen);
    bars.delete(parentElement);
  };
}

function build(parentElement) {
  const frame = parentElement.querySelector(".bar");
  const bar = { frame };
  for (const part of ["steps", "back", "next", "track", "shape"]) bar[part] = frame.querySelector(`.${part}`);
  bar.back.addEventListener("click", () => go(bar, bar.current - 1));
  bar.next.addEventListener("click", () => go(bar, bar.current + 1));
  bar.listen = (event) => key(bar, event);
  document.addEventListener("keydown", bar.listen);
  new ResizeObserver(() => placeShape(bar)).observe(bar.track);
  return bar;
}

function draw(bar) {
  const { names, words } = bar.data;
  bar.frame.setAttribute("aria-label", words.stages);
  if (bar.steps.childElementCount !== names.length) {
    bar.steps.replaceChildren(...names.map((_, index) => step(bar, index + 1)));
  }
  [...bar.steps.children].forEach((item, index) => {
    const button = item.firstChild;
    item.classList.toggle("passed", index + 1 <= bar.current);
    button.lastChild.textContent = names[index];
    button.setAttribute("aria-label", `${index + 1} ${names[index]}`);
    if (index + 1 === bar.current) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
  const [before, after] = [names[bar.current - 2], names[bar.current]];
  bar.back.textContent = `← ${before ?? ""}`;
  bar.next.textContent = `${after ?? ""} →`;
  bar.back.title = `${words.back} (←)`;
  bar.next.title = `${words.next} (→)`;
  bar.back.setAttribute("aria-label", `${words.back}: ${before ?? ""}`);
  bar.next.setAttribute("aria-label", `${words.next}: ${after ?? ""}`);
  bar.back.disabled = before === undefined;
  bar.next.disabled = after === undefined;
  bar.shape.textContent = bar.current === bar.data.current ? bar.data.shape : "";
  show(bar);
  placeShape(bar);
  bar.frame.dataset.stage = bar.data.current;
}

function step(bar, number) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const dot = document.createElement("i");
  dot.textContent = number;
  button.append(dot, document.createElement("span"));
  button.addEventListener("click", () => go(bar, number));
  item.append(button);
  return item;
}

function go(bar, stage) {
  if (stage < 1 || stage > bar.data.names.length || stage === bar.current) return;
  bar.current = stage; // at once, so that a second press goes on from here
  draw(bar);
  bar.send("go", stage);
}

// On a narrow screen the steps scroll sideways: keep the current one in sight.
function show(bar) {
  const button = bar.steps.children[bar.current - 1];
  bar.steps.scrollTo({ left: button.offsetLeft + button.offsetWidth / 2 - bar.steps.clientWidth / 2 });
}

function placeShape(bar) {
  const step = bar.steps.children[bar.current - 1]?.getBoundingClientRect();
  if (!step) return;
  const track = bar.track.getBoundingClientRect();
  const left = step.left + step.width / 2 - track.left - bar.shape.offsetWidth / 2;
  bar.shape.style.left = `${Math.max(0, Math.min(left, track.width - bar.shape.offsetWidth))}px`;
}

const WIDGETS = "input, textarea, select, button, summary, [contenteditable=true], [role=slider], [role=application]";

function key(bar, event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const path = event.composedPath().filter((node) => node instanceof Element);
  if (!path.includes(bar.frame) && path.some((node) => node.matches(WIDGETS))) return;
  event.preventDefault();
  go(bar, bar.current + step);
}
