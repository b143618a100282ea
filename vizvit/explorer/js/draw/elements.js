// Elements of HTML and SVG, and what is done to them everywhere.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function shape(tag, className, style = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  node.setAttribute("class", className);
  for (const [name, value] of Object.entries(style)) node.style.setProperty(name, value);
  return node;
}

// The same text again would be laid out and painted again, and with it the whole explorer in between two such places.
export function setText(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

// Rebuilds what is inside a box; the button that had the focus, by its place among them, has it again.
export function keepFocus(box, rebuild) {
  const active = box.getRootNode().activeElement, at = [...box.querySelectorAll("button")].indexOf(active);
  rebuild();
  if (at < 0) return;
  const buttons = box.querySelectorAll("button");
  buttons[Math.min(at, buttons.length - 1)]?.focus();
}

export function fillSelect(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
}
