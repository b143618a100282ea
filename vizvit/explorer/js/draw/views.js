// What is looked at, chosen above the picture: attention, or what the token vectors say.

import { isFeatured } from "../state/featureviews.js";
import { VIEWS } from "../state/state.js";
import { element, setText } from "./elements.js";

export function buildViews(app) {
  const buttons = VIEWS.map((view) => element("button", { type: "button", role: "radio", "data-value": view }));
  app.dom.view = { buttons, box: element("span", { class: "choice choice-view", role: "radiogroup" }, ...buttons) };
  app.dom.viewHint = element("span", { class: "hint" });
  app.dom.viewLine = element("div", { class: "view-line" }, app.dom.view.box, app.dom.viewHint);
  app.dom.stage.prepend(app.dom.viewLine);
}

export function fillViews({ dom, texts }) {
  dom.view.box.setAttribute("aria-label", texts.view);
  VIEWS.forEach((view, i) => Object.assign(dom.view.buttons[i], { textContent: texts[`view_${view}`], title: texts[`view_${view}_hint`] }));
}

export function drawViews(app) {
  const { dom, root, choice, texts, session, featureData } = app;
  dom.viewLine.hidden = Boolean(session.standalone) && !session.own && !featureData?.a;
  for (const button of dom.view.buttons) {
    const chosen = button.dataset.value === (choice.view ?? "attention");
    button.setAttribute("aria-checked", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  root.dataset.view = choice.view ?? "attention";
  root.classList.toggle("featured", isFeatured(app));
  for (const view of VIEWS) root.classList.toggle(`view-${view}`, choice.view === view);
  root.classList.toggle("soft", isFeatured(app) && app.options.smooth);
  setText(dom.viewHint, isFeatured(app) ? texts[`view_${choice.view}_hint`] : "");
}
