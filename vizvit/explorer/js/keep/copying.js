// The view for the clipboard: as a program, and as a link.

import { placeOf } from "../compute/patches.js";
import { isFeatured } from "../state/featureviews.js";
import { notice } from "../draw/notice.js";
import { report } from "../wire/settle.js";
import { pythonCode } from "./code.js";
import { copyText } from "./download.js";
import { featureCode } from "./featurecode.js";
import { keepName, keepOther } from "./naming.js";

const ADDRESS_MS = 4000; // the longest to wait for the address to say what is shown

export async function copyPython(app) {
  const write = isFeatured(app) ? featureCode : pythonCode, other = isFeatured(app) && !app.b?.sameModel ? null : keepOther(app);
  const code = write(app.session, app.a.capture, app.choice, { ...app.options, file: keepName(app) }, other);
  notice(app, (await copyText(code)) ? app.texts.copied_python : app.texts.not_copied);
}

// The address follows a settled choice after a moment.
export async function copyLink(app) {
  report(app);
  const until = performance.now() + ADDRESS_MS;
  while (!addressIsCurrent(app) && performance.now() < until) await new Promise((done) => setTimeout(done, 100));
  const copied = app.session.private ? app.texts.copied_link_private : app.texts.copied_link;
  notice(app, (await copyText(location.href)) ? copied : app.texts.not_copied);
}

function addressIsCurrent({ choice, options, a: { capture } }) {
  const params = new URLSearchParams(location.search), { area, token } = choice, place = placeOf(capture, token);
  const query = area ? `${area[0]},${area[1]}-${area[2]},${area[3]}` : place ? place.join() : capture.prefix_names[token];
  const says = (name, value, silent) => (params.get(name) ?? silent) === String(value);
  return says("query", query) && says("layer", choice.layer) && says("head", choice.head ?? "", "") && says("direction", choice.direction, "from") && says("view", choice.view, "attention")
    && says("rollout", Number(choice.rollout), "0") && says("scale", options.scale, "own") && says("key", choice.key ?? "", "");
}
