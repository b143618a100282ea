"""The Python that the explorer hands out: it runs, and gives the view's numbers."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import vizvit
from vizvit import explorer
from vizvit.explorer.payload import read_header

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not on the PATH")
MODULE = Path(explorer.__file__).parent / "js" / "keep" / "code.js"
PROGRAM = """
const { pythonCode } = await import(process.argv[1]);
const { session, capture, cases } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(([choice, options]) => pythonCode(session, capture, choice, options))));
"""
START = {"layer": 4, "head": None, "token": 0, "area": None, "direction": "from", "fuse": "mean", "rollout": False}


@pytest.fixture(scope="module")
def cap():
    return vizvit.capture(vizvit.load_model("vizvit-tiny", device="cpu"), data.chelsea())


@pytest.fixture
def made(cap, tmp_path, monkeypatch):
    """made(choice, options): the names that the program for a choice leaves behind."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(data.chelsea()).save("a cat.png")
    lines = [
        "import vizvit",
        'vit = vizvit.load_model("vizvit-tiny", device="cpu")',
        'image = vizvit.load_image("a cat.png")',
        "cap = vizvit.capture(vit, image)",
    ]
    header = read_header(explorer.encode(cap, cap.view, [0]))

    def run(choice=None, options=None):
        work = {"session": {"python": lines}, "capture": header, "cases": [[START | (choice or {}), options or {}]]}
        done = subprocess.run(
            [NODE, "--input-type=commonjs", "-e", f"(async () => {{{PROGRAM}}})()", MODULE.as_uri()],
            input=json.dumps(work),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        names = {}
        exec(json.loads(done.stdout)[0], names)
        return names

    return run


def expected_map(cap, layer=4, head=None, token=0, area=None, direction="from", fuse="mean"):
    """[rows, cols] by NumPy from the full attention."""
    attention = cap.attention(layer)  # [head, query, key]
    grid = cap.grid
    tokens = [token]
    if area:
        top, left, bottom, right = area
        tokens = [grid.token(row, col) for row in range(top, bottom + 1) for col in range(left, right + 1)]
    values = (attention[:, tokens] if direction == "from" else attention.swapaxes(1, 2)[:, tokens]).mean(1)
    fused = values[head] if head is not None else getattr(values, fuse)(0)
    return fused[grid.num_prefix_tokens :].reshape(grid.rows, grid.cols)


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"layer": 0, "head": 3, "token": 1},
        {"layer": 5, "fuse": "max", "token": 64},
        {"direction": "to", "token": 20, "fuse": "min"},
        {"direction": "to"},
        {"area": [1, 2, 4, 3], "token": 11, "head": 0},
        {"area": [0, 0, 7, 7], "token": 1, "direction": "to"},
    ],
)
def test_the_map_is_the_views(cap, made, choice):
    np.testing.assert_allclose(made(choice)["heat"], expected_map(cap, **choice), atol=1e-6)


@pytest.mark.parametrize("choice", [{}, {"token": 9, "fuse": "max"}, {"token": 9, "direction": "to"}])
def test_a_rollout_is_the_views(cap, made, choice):
    flow = np.eye(cap.num_tokens)
    for layer in range(cap.num_layers):
        fused = getattr(cap.attention(layer).astype(np.float64), choice.get("fuse", "mean"))(0)
        mixed = (np.eye(cap.num_tokens) + fused) / 2
        flow = mixed / mixed.sum(1, keepdims=True) @ flow
    token = choice.get("token", 0)
    values = flow[token] if choice.get("direction") != "to" else flow[:, token]
    expected = values[cap.grid.num_prefix_tokens :].reshape(cap.grid.rows, cap.grid.cols)
    np.testing.assert_allclose(made({"rollout": True, "head": 2, **choice})["heat"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ({"scale": "absolute"}, lambda heat, heads: (0, 1)),
        ({"scale": "percentile"}, lambda heat, heads: np.percentile(heat, (1, 99))),
        ({"scale": "shared"}, lambda heat, heads: (0, heads.max())),
        ({"scale": "absolute", "curve": "log"}, lambda heat, heads: (1e-4, 1)),
    ],
)
def test_the_limits_are_the_views(cap, made, options, limits):
    names = made({"head": 1, "token": 20}, options)
    heads = np.stack([expected_map(cap, head=head, token=20) for head in range(cap.num_heads)])
    np.testing.assert_allclose((names["low"], names["high"]), limits(heads[1], heads), rtol=1e-5)


def test_the_picture_is_written(cap, made, tmp_path):
    options = {"smooth": True, "colours": "cividis", "opacity": 0.4, "curve": "log", "file": "vizvit-cat-layer4"}
    names = made({"head": 2}, options)
    expected = vizvit.overlay(cap.view, names["heat"], smooth=True, colormap="cividis", opacity=0.4, log=True)
    with Image.open(tmp_path / "vizvit-cat-layer4.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), expected)
