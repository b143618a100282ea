// A lesson in a file: brings its parts to life, one stage at a time.

const dark = matchMedia("(prefers-color-scheme: dark)");
const sections = [...document.querySelectorAll("section")];
const parts = [...document.querySelectorAll(".part")].map(build);

function build(element) {
  const held = element.querySelector("script"), name = element.dataset.part;
  const binary = held.type.endsWith("octet-stream");
  const data = binary ? Uint8Array.from(atob(held.textContent), (letter) => letter.charCodeAt(0)) : JSON.parse(held.textContent);
  held.remove();
  const parentElement = element.attachShadow({ mode: "open" });
  parentElement.append(document.querySelector(`template[data-part="${name}"]`).content.cloneNode(true));
  return { name, data, parentElement };
}

function draw({ name, data, parentElement }) {
  if ("theme" in data) data.theme = dark.matches ? "dark" : "light";
  globalThis.vizvitParts[name]({ data, parentElement, setTriggerValue });
}

// Of all that parts send, only where the bar leads to has an answer here.
function setTriggerValue(name, value) {
  if (name !== "go") return;
  for (const section of sections) section.hidden = Number(section.dataset.stage) !== value;
  const bar = parts.find((part) => part.name === "bar");
  bar.data = { ...bar.data, current: value, title: sections.find((section) => !section.hidden).dataset.title };
  draw(bar);
}

for (const choose of document.querySelectorAll(".choose")) {
  const buttons = [...choose.querySelectorAll(":scope > .options > button")], options = [...choose.querySelectorAll(":scope > div")];
  buttons.forEach((button, chosen) => button.addEventListener("click", () => {
    buttons.forEach((other, index) => other.setAttribute("aria-pressed", String(index === chosen)));
    options.forEach((option, index) => (option.hidden = index !== chosen));
  }));
}

parts.forEach(draw);
dark.addEventListener("change", () => parts.forEach(draw));
document.body.dataset.ready = "true";
