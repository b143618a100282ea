// The menu of what can be kept.

import { element } from "../draw/elements.js";
import { copyLink, copyPython } from "../keep/copying.js";
import { askFile, savePng, saveSvg } from "../keep/files.js";

// name of the text, what it does, whether it needs Python behind it
const ENTRIES = [
  ["keep_png", savePng, false],
  ["keep_svg", saveSvg, false],
  ["keep_npz", (app) => askFile(app, "npz"), true],
  ["keep_python", copyPython, false],
  ["keep_link", copyLink, true],
  ["keep_handout", (app) => askFile(app, "handout"), true],
  ["keep_html", (app) => askFile(app, "html"), true],
];

export function attachMenu(app) {
  const { keep, keepMenu } = app.dom;
  keep.addEventListener("click", () => (keepMenu.hidden ? openKeep(app) : closeKeep(app)));
  keepMenu.addEventListener("keydown", (event) => {
    const items = [...keepMenu.children], at = items.indexOf(event.target);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) items[(at + step + items.length) % items.length].focus();
    else if (event.key === "Escape") closeKeep(app);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  keepMenu.addEventListener("focusout", (event) => {
    if (keepMenu.contains(event.relatedTarget) || event.relatedTarget === keep) return;
    keepMenu.hidden = true;
    keep.setAttribute("aria-expanded", "false");
  });
}

export function openKeep(app) {
  const { keep, keepMenu } = app.dom;
  keepMenu.hidden = false;
  keep.setAttribute("aria-expanded", "true");
  keepMenu.firstElementChild.focus();
}

function closeKeep(app) {
  const { keep, keepMenu } = app.dom;
  keepMenu.hidden = true;
  keep.setAttribute("aria-expanded", "false");
  keep.focus();
}

export function fillMenu(app) {
  const { dom, texts, session } = app;
  const entries = ENTRIES.filter(([, , python]) => !python || !session.standalone);
  dom.keepMenu.replaceChildren(...entries.map(([name, act]) => {
    const item = element("button", { type: "button", role: "menuitem" }, texts[name]);
    item.addEventListener("click", () => {
      closeKeep(app);
      act(app);
    });
    return item;
  }));
}
