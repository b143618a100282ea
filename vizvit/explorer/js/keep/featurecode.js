// A view of features as a Python program that makes it again with the library.

import { pythonKeywords, pythonText, rawPython, tokenCode } from "./code.js";

// As pythonCode: other is the second capture's part, where it is compared with by the same model.
export function featureCode(session, capture, choice, options = {}, other = null) {
  const { view, layer } = choice, file = pythonText(`${options.file ?? view}.png`), imports = ["from PIL import Image"];
  const body = [];
  if (view === "components") {
    imports.push("from vizvit.figures.features import component_colors");
    body.push(`components = vizvit.patch_components(cap, ${layer}${other ? ", other=other" : ""})  # [rows, cols, 3]`);
    if (other) body.push(`there = vizvit.patch_components(other, ${layer}, other=cap)  # of the patches of both`);
    body.push(`picture = component_colors(components)  # uint8 [rows, cols, 3]`);
  } else if (view === "norms") {
    imports.push("from vizvit.figures.features import feature_colors");
    body.push(`norms = vizvit.patch_map(vizvit.token_norms(cap)[${layer + 1}], cap)  # [rows, cols]`);
    body.push(`artefacts = vizvit.artefact_tokens(cap, ${layer})  # .mask [rows, cols], .threshold, .share`);
    body.push(`picture = feature_colors(norms, "inferno")  # uint8 [rows, cols, 3]`);
  } else {
    imports.push("from vizvit.figures.features import feature_colors, over");
    const words = pythonKeywords({
      token: choice.area ? null : tokenCode(capture, choice.token),
      area: choice.area ? rawPython(`(${choice.area.join(", ")})`) : null,
      layer,
    });
    body.push(`similarity = vizvit.patch_similarity(${["cap", ...words].join(", ")})  # [rows, cols], cosine`);
    if (other) body.push(`there = vizvit.patch_similarity(${["cap", ...words, "other=other"].join(", ")})  # [rows, cols] of the other picture`);
    body.push(`picture = over(cap.view, feature_colors(similarity, "cividis"), ${options.opacity ?? 0.6})  # uint8 [H, W, 3]`);
  }
  return `${[...imports, ...(session.python ?? []), "", ...body, `Image.fromarray(picture).save(${file})`].join("\n")}\n`;
}
