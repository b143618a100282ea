"""The surveyor in a real browser: a worker from the joined script, also in a page opened as a file."""

from __future__ import annotations

import json

import pytest

from vizvit import explorer
from vizvit.explorer import standalone

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset="utf-8">%(policy)s<script>
const Real = window.Worker;
window.replies = 0;
window.Worker = class extends Real {
  constructor(address) { super(address); this.addEventListener("message", () => (window.replies += 1)); }
};
const script = %(script)s + "\\nexport { createSurveyor, kernelParts, readyKernels, surveyorAnswer };";
const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
const noise = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898));
const shape = { heads: 2, tokens: 13, dim: 8, scale: 0.35, biasHeads: 0, bias: null };
const arrays = { ...shape, queries: noise(208), keys: noise(208) };
const geometry = { rows: 3, cols: 4, patch_size: 16, prefix: 1 };
const listed = (_, value) => (ArrayBuffer.isView(value) ? [...value] : value);
window.done = import(address).then((made) => new Promise((resolve) => {
  const { createSurveyor, kernelParts, readyKernels, surveyorAnswer } = made;
  const answers = [], surveyor = createSurveyor((answer) => {
    answers.push(answer);
    if (answers.length < 2) return;
    surveyor.close();
    const text = (result) => JSON.stringify(result, listed);
    const asks = [{ kind: "fused", arrays, how: "max" }, { kind: "survey", arrays, geometry }];
    const kernels = readyKernels(kernelParts()), here = asks.map((ask) => surveyorAnswer(ask, kernels));
    // Kernels with and without relaxed instructions, and none.
    const { modules, tile } = kernelParts();
    const engines = [...modules.map((bytes) => readyKernels({ modules: [bytes], tile })), null];
    const fused = engines.map((engine) => surveyorAnswer(asks[0], engine).result);
    const apart = Math.max(...fused.flatMap((one) => [...one].map((value, i) => Math.abs(value - fused.at(-1)[i]))));
    const equal = answers.map(({ result }, i) => text(result) === text(here[i].result));
    const ready = engines.filter(Boolean).length;
    resolve({ replies: window.replies, engines: ready, apart, equal, kept: arrays.queries.length });
  }, 1);
  surveyor.ask("survey", "a", 0, { layer: arrays, geometry });
  surveyor.ask("fused", "a", 0, { layer: arrays, how: "max" });
}));
</script>"""
POLICIES = {  # what a page may do -> its policy, replies of a worker, kernels of WebAssembly
    "everything": ("default-src * 'unsafe-inline' 'unsafe-eval' blob:", 2, 2),
    "as a file to keep": (
        f"default-src 'none'; {standalone._POLICY}".replace("script-src", "script-src blob:"),
        2,
        2,
    ),
    "no worker": ("worker-src 'none'", 0, 2),
    "no WebAssembly": ("script-src 'unsafe-inline' blob:; worker-src blob:", 2, 0),
}


@pytest.mark.parametrize(("policy", "replies", "engines"), POLICIES.values(), ids=POLICIES)
def test_a_page_opened_as_a_file(browser, tmp_path, policy, replies, engines):
    path, complaints = tmp_path / "page.html", []
    script = json.dumps(explorer.script()).replace("</", "<\\/")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    path.write_text(PAGE % {"policy": policy, "script": script}, encoding="utf-8")
    page = browser.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    found = page.evaluate("window.done")
    page.close()
    assert found.pop("apart") < 1e-6
    assert found == {"replies": replies, "engines": engines, "equal": [True, True], "kept": 208}
    assert not complaints
