"""The explorer's JavaScript: its own tests under Node, on payloads that Python encodes here."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from explorer_fake import FakeCapture

from vizvit import explorer
from vizvit.explorer.payload import frame

NODE = shutil.which("node")
TESTS = Path(__file__).parent / "js"
needs_node = pytest.mark.skipif(NODE is None, reason="node is not on the PATH")

CASES = {
    "plain": {},
    "bias": {"bias": 2, "prefix": ("class", "distillation")},
    "shared-bias": {"bias": 1, "prefix": ()},
    "rectangle": {"rows": 5, "cols": 9, "heads": 3, "dim": 7},
    "large": {"sizes": (1e5, 1e-3)},
}


@needs_node
def test_modules_under_node(tmp_path):
    for name, options in CASES.items():
        cap = FakeCapture(**options)
        session = {"start": 1, "selection": {"layer": 2, "head": None, "token": 0}, "texts": explorer.TEXTS}
        # One byte in front: in the browser the bytes arrive unaligned.
        (tmp_path / f"{name}.payload").write_bytes(b"\0" + frame(session, explorer.encode(cap, cap.image)))
        for what, values in (("attention", cap.attention), ("scores", cap.scores)):
            np.stack([values(layer) for layer in range(cap.num_layers)]).tofile(tmp_path / f"{name}.{what}")
    (tmp_path / "cases.json").write_text(json.dumps(list(CASES)))
    files = sorted(str(path) for path in TESTS.glob("*.test.mjs"))
    done = subprocess.run(
        [NODE, "--test", *files],
        env={"VIZVIT_FIXTURES": str(tmp_path), "PATH": str(Path(NODE).parent)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_node
def test_joined_modules_are_one_module_without_clashing_names(tmp_path):
    joined = tmp_path / "joined.mjs"
    joined.write_text(explorer.script(), encoding="utf-8")
    done = subprocess.run([NODE, "--check", str(joined)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_joining_leaves_one_export_and_no_import_and_takes_every_module():
    script = explorer.script()
    assert re.findall(r"^export .*$", script, re.MULTILINE) == ["export default function update(component) {"]
    assert not re.search(r"^import ", script, re.MULTILINE)
    files = {path.stem for path in (Path(explorer.__file__).parent / "js").glob("*.js")}
    assert files == set(explorer._MODULES)


def test_every_text_that_the_browser_reads_exists():
    script = explorer.script()
    used = set(re.findall(r"\btexts\.(\w+)", script)) | set(re.findall(r"dom\.labels\.(\w+) =", script))
    assert used <= set(explorer.TEXTS)
