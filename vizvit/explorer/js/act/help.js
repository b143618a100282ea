// The list of keys.

import { element } from "../draw/elements.js";

// Keys and the texts that say what they do, in the order of the help.
const KEYS = [
  ["← ↑ → ↓", "key_arrows"], ["⇧ ← ↑ → ↓", "key_shift_arrows"], ["[  ]", "key_layers"], ["0 … 9", "key_heads"], ["t", "key_token"], ["e", "key_view"],
  ["d", "key_direction"], ["f", "key_fuse"], ["o", "key_rollout"], ["x", "key_tool"], ["w", "key_why"], ["a", "key_atlas"], ["n", "key_numbers"],
  ["s", "key_scale"], ["l", "key_log"], ["m", "key_smooth"], ["v", "key_blend"], ["g", "key_grid"], ["Space", "key_play"], ["p", "key_pin"], ["k", "key_keep"],
  ["Esc", "key_escape"], ["?", "key_help"],
];

export function attachHelp(app) {
  const { keys, help } = app.dom;
  keys.addEventListener("click", () => help.showModal());
  help.addEventListener("click", (event) => event.target === help && help.close());
}

export function fillHelp({ dom, texts }) {
  const rows = KEYS.map(([keys, text]) => element("tr", {}, element("th", { scope: "row" }, ...keys.split(/ +/).map((key) => element("kbd", {}, key))),
    element("td", {}, texts[text])));
  const done = element("button", { type: "button", class: "tool" }, texts.close);
  done.addEventListener("click", () => dom.help.close());
  dom.help.setAttribute("aria-label", texts.keys);
  dom.help.replaceChildren(element("h2", {}, texts.keys), element("table", {}, ...rows), done);
}
