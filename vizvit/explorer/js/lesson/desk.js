// What stands above the explorer: how a picture comes in, what the model takes it for, and the moments of its training.

import { element } from "../draw/elements.js";
import { percent } from "../draw/numbers.js";
import { fill } from "../draw/words.js";
import { hasCamera } from "./camera.js";

// samples: [{ name, title, type, data }]; moments: [{ title, accuracy }]; on: { file, sample, camera, moment }, what is done
// with a file, a sample's place, a press of the camera's button, and a moment's place.
export function buildDesk(box, { texts, samples, moments, number, predicts }, on) {
  const input = element("input", { type: "file", accept: "image/*", class: "unseen", tabindex: "-1", "aria-hidden": "true" });
  const choose = element("button", { type: "button", class: "press chief" }, texts.choose);
  const camera = element("button", { type: "button", class: "press", "aria-pressed": "false" }, texts.camera);
  const some = samples.map(({ title, type, data }) => element("button", { type: "button", class: "sample", title, "aria-label": title },
    element("img", { src: `data:${type};base64,${data}`, alt: "" })));
  const said = element("p", { class: "said", role: "status" }), prediction = element("ol", { class: "prediction", "aria-label": texts.prediction });
  const training = moments.length > 1 ? buildTraining(texts, moments, number, on.moment) : [];
  choose.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files[0]) on.file(input.files[0]);
    input.value = ""; // the same file again is a choice, too
  });
  camera.hidden = !hasCamera();
  camera.addEventListener("click", on.camera);
  some.forEach((button, place) => button.addEventListener("click", () => on.sample(place)));
  box.replaceChildren(
    element("div", { class: "intake" }, choose, input, camera, element("span", { class: "samples", role: "group", "aria-label": texts.samples }, ...some),
      element("span", { class: "hint drop-hint" }, texts.drop), said),
    ...training, ...(predicts ? [prediction] : []),
  );
  acceptFiles(on.file);
  return {
    prediction,
    say: (word, values = {}) => (said.textContent = word ? fill(texts[word], values) : ""),
    mark(sample, live) {
      some.forEach((button, place) => button.setAttribute("aria-pressed", place === sample));
      camera.setAttribute("aria-pressed", live);
      camera.textContent = live ? texts.camera_stop : texts.camera;
    },
  };
}

function buildTraining(texts, moments, number, choose) {
  const slider = element("input", { type: "range", min: "0", max: String(moments.length - 1), value: String(number), "aria-label": texts.training });
  const told = element("output"), tell = () => {
    const { title, accuracy } = moments[slider.value];
    slider.setAttribute("aria-valuetext", title);
    told.textContent = accuracy === null ? title : `${title} · ${fill(texts.accuracy, { share: percent(accuracy) })}`;
  };
  slider.addEventListener("input", tell);
  slider.addEventListener("change", () => choose(Number(slider.value)));
  tell();
  return [element("label", { class: "training", title: texts.training_help }, element("span", { class: "label" }, texts.training), slider, told)];
}

// Files dropped anywhere on the page, or pasted.
function acceptFiles(take) {
  const { classList } = document.documentElement;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    classList.remove("dropping");
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData?.files[0]) take(event.clipboardData.files[0]);
  });
}
