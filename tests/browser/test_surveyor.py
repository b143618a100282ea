"""The surveyor in a real browser: a worker from the joined script, also in a page opened as a file."""

from __future__ import annotations

import json

import pytest

from vizvit import explorer

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset="utf-8">%(policy)s<script>
const Real = window.Worker;
window.replies = 0;
window.Worker = class extends Real {
  constructor(address) { super(address); this.addEventListener("message", () => (window.replies += 1)); }
};
const script = %(script)s + "\\nexport { createSurveyor, surveyorAnswer };";
const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
const noise = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898));
const shape = { heads: 2, tokens: 13, dim: 8, scale: 0.35, biasHeads: 0, bias: null };
const arrays = { ...shape, queries: noise(208), keys: noise(208) };
const geometry = { rows: 3, cols: 4, patch_size: 16, prefix: 1 };
const listed = (_, value) => (ArrayBuffer.isView(value) ? [...value] : value);
window.done = import(address).then(({ createSurveyor, surveyorAnswer }) => new Promise((resolve) => {
  const answers = [], surveyor = createSurveyor((answer) => {
    answers.push(answer);
    if (answers.length < 2) return;
    surveyor.close();
    const text = (result) => JSON.stringify(result, listed);
    const here = [{ kind: "fused", arrays, how: "max" }, { kind: "survey", arrays, geometry }].map(surveyorAnswer);
    const equal = answers.map(({ result }, i) => text(result) === text(here[i].result));
    resolve({ replies: window.replies, equal, kept: arrays.queries.length });
  }, 1);
  surveyor.ask("survey", "a", 0, { layer: arrays, geometry });
  surveyor.ask("fused", "a", 0, { layer: arrays, how: "max" });
}));
</script>"""
FORBIDDEN = '<meta http-equiv="Content-Security-Policy" content="worker-src \'none\'">'


@pytest.mark.parametrize(("policy", "replies"), [("", 2), (FORBIDDEN, 0)], ids=["a worker", "no worker allowed"])
def test_a_page_opened_as_a_file(browser, tmp_path, policy, replies):
    path, complaints = tmp_path / "page.html", []
    script = json.dumps(explorer.script()).replace("</", "<\\/")
    path.write_text(PAGE % {"policy": policy, "script": script}, encoding="utf-8")
    page = browser.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    found = page.evaluate("window.done")
    page.close()
    assert found == {"replies": replies, "equal": [True, True], "kept": 208}
    assert not complaints
