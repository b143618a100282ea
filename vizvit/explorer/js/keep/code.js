// The view as a Python program that makes it again with the library. Only what differs from the defaults is written.

// session.python: the lines that load model and picture and leave `cap` defined. options.file: what to call the picture.
// other: { capture, choice } of a second capture, which the lines leave as `other`; its map is `other_heat`.
export function pythonCode(session, capture, choice, options = {}, other = null) {
  const { mode, log } = codeScaleOf(options), others = mode === "shared" && !choice.rollout;
  const paired = mode === "own" && other !== null, limits = mode === "absolute" || mode === "percentile" || others || paired;
  const imports = ["from PIL import Image", ...(limits ? ["from vizvit.figures import limits"] : [])];
  const lines = [...imports, ...(session.python ?? []), "", `heat = ${mapCall(capture, choice)}  # [rows, cols]`];
  if (others) lines.push(`heads = [${mapCall(capture, choice, "head")} for head in range(cap.num_heads)]`);
  if (other) lines.push(`other_heat = ${mapCall(other.capture, other.choice, null, "other")}`);
  if (others && other) lines.push(`heads += [${mapCall(other.capture, other.choice, "head", "other")} for head in range(other.num_heads)]`);
  if (limits) {
    const shared = others ? rawPython("heads") : paired ? rawPython("[other_heat]") : null;
    const words = ["heat", ...(shared ? [] : [pythonText(mode)]), ...pythonKeywords({ log, others: shared })];
    lines.push(`low, high = limits(${words.join(", ")})`);
  }
  const drawing = pythonKeywords({
    colormap: unlessDefault(options.colours, "viridis"),
    opacity: unlessDefault(options.opacity, 0.6),
    blend: unlessDefault(options.blend, "veil"),
    smooth: options.smooth,
    low: limits ? rawPython("low") : null,
    high: limits ? rawPython("high") : null,
    log,
  });
  lines.push(`picture = vizvit.overlay(${["cap.view", "heat", ...drawing].join(", ")})  # uint8 [H, W, 3]`);
  lines.push(`Image.fromarray(picture).save(${pythonText(`${options.file ?? "attention"}.png`)})`);
  if (other) lines.push(...otherLines(other, limits && !others && !paired, mode, log, drawing, options));
  return `${lines.join("\n")}\n`;
}

// The second picture on its own scale, or on the common one; and the difference, patch by patch.
function otherLines(other, ownLimits, mode, log, drawing, options) {
  const lines = [];
  if (ownLimits) lines.push(`low, high = limits(${["other_heat", pythonText(mode), ...pythonKeywords({ log })].join(", ")})`);
  lines.push(`other_picture = vizvit.overlay(${["other.view", "other_heat", ...drawing].join(", ")})`);
  lines.push(`Image.fromarray(other_picture).save(${pythonText(`${options.file ?? "attention"}-other.png`)})`);
  if (other.difference) lines.push(`difference = ${other.flipped ? "other_heat[:, ::-1]" : "other_heat"} - heat  # [rows, cols]`);
  return lines;
}

function codeScaleOf({ scale, curve }) {
  return { mode: scale ?? "own", log: curve === "log" };
}

// head: a variable to go through all heads with, in place of the choice's own.
function mapCall(capture, choice, head = null, cap = "cap") {
  const fused = choice.head === null || choice.head === undefined || choice.rollout;
  const words = pythonKeywords({
    head: choice.rollout ? null : head ? rawPython(head) : choice.head,
    head_fusion: fused && !head ? unlessDefault(choice.fuse, "mean") : null,
    token: choice.area ? null : tokenCode(capture, choice.token),
    area: choice.area ? rawPython(`(${choice.area.join(", ")})`) : null,
    direction: unlessDefault(choice.direction, "from"),
  });
  return choice.rollout ? `vizvit.rollout(${[cap, ...words].join(", ")})`
    : `vizvit.attention_map(${[cap, choice.layer, ...words].join(", ")})`;
}

// "cls" is what the library reads where nothing is said; without a class token every token has to be named.
export function tokenCode({ prefix_names: names, cols }, token) {
  if (token >= names.length) {
    const patch = token - names.length;
    return rawPython(`("patch", ${Math.floor(patch / cols)}, ${patch % cols})`);
  }
  return names[token] === "class" ? null : token;
}

function unlessDefault(value, standard) {
  return value === standard ? null : value;
}

export function rawPython(code) {
  return { code };
}

// name=value for each value that there is; false is a default everywhere.
export function pythonKeywords(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined && value !== false)
    .map(([name, value]) => `${name}=${pythonValue(value)}`);
}

function pythonValue(value) {
  if (typeof value === "object") return value.code;
  return value === true ? "True" : typeof value === "string" ? pythonText(value) : String(value);
}

// JSON's string literals are Python's too.
export function pythonText(text) {
  return JSON.stringify(text);
}
