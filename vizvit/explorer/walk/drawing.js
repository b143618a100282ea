// A drawing of the walk: HTML with inline SVG from Python; what lies under the pointer tells its number at once.

const drawings = new WeakMap();

export default function ({ data, parentElement }) {
  let drawing = drawings.get(parentElement);
  if (!drawing) {
    drawing = build(parentElement);
    drawings.set(parentElement, drawing);
  }
  drawing.frame.className = `vw ${data.theme}`;
  if (drawing.html === data.html) return;
  drawing.html = data.html;
  drawing.tip.hidden = true;
  drawing.body.innerHTML = data.html;
}

function build(parentElement) {
  const frame = parentElement.querySelector(".vw");
  const drawing = { frame, body: frame.querySelector(".vw-body"), tip: frame.querySelector(".vw-tip") };
  frame.addEventListener("pointermove", (event) => tell(drawing, event));
  frame.addEventListener("pointerleave", () => (drawing.tip.hidden = true));
  return drawing;
}

function tell({ frame, tip }, event) {
  const text = event.target.dataset?.tip;
  tip.hidden = text === undefined;
  if (tip.hidden) return;
  tip.textContent = text;
  const box = frame.getBoundingClientRect();
  const left = event.clientX - box.left + 14;
  tip.style.left = `${Math.max(0, Math.min(left, box.width - tip.offsetWidth - 4))}px`;
  tip.style.top = `${event.clientY - box.top - tip.offsetHeight - 12}px`;
}
