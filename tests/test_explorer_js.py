"""The explorer's JavaScript: its own tests under Node, on payloads that Python encodes here."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from explorer_fake import FakeCapture, sinks_of_shares
from reference import FAMILIES, family

import vizvit
from vizvit import explorer
from vizvit.analysis import standing_out
from vizvit.explorer.assets import ENTRY, modules
from vizvit.explorer.features import encode_features
from vizvit.explorer.payload import frame
from vizvit.figures.features import component_colors, feature_limits
from vizvit.figures.scale import limits
from vizvit.numbers import fixed, number, rounding, share

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


REAL = {
    "shipped": lambda vit: vizvit.load_model("vizvit-tiny", device="cpu"),
    "test-vit": lambda vit: vizvit.load_model("test_vit.r160_in1k", weights="random", device="cpu"),
    "beit": lambda vit: vit("beit_base_patch16_224", image_size=(64, 96), depth=3, heads=3),
    "classless": lambda vit: vit("vit_base_patch16_gap_224", image_size=(48, 80), depth=3, heads=3),
}
MAPS = [
    *np.random.default_rng(0).gamma(0.3, 0.02, (3, 20)).tolist(),
    [0.0] * 20,
    [0.25] * 20,
    [0.0] * 19 + [0.5],
    [1e-9] * 10 + [0.125] * 10,
]


@needs_node
def test_modules_under_node(tmp_path, vit, picture):
    for name, options in CASES.items():
        cap = FakeCapture(**options)
        write_payload(tmp_path / f"{name}.payload", explorer.encode(cap, cap.image))
        for what, values in (("attention", cap.attention), ("scores", cap.scores)):
            np.stack([values(layer) for layer in range(cap.num_layers)]).tofile(tmp_path / f"{name}.{what}")
        write_json(tmp_path / f"{name}.json", cap.survey())
    for name, load in REAL.items():
        cap = vizvit.capture(load(vit), picture)
        write_payload(tmp_path / f"{name}.payload", explorer.encode(cap, cap.view, range(cap.num_layers)))
        write_json(tmp_path / f"{name}.json", survey_of(cap) | {"rollouts": list(rollouts_of(cap))})
    for name in FAMILIES:
        cap = vizvit.capture(family(vit, name), picture)
        write_payload(tmp_path / f"{name}.payload", explorer.encode(cap, cap.view, range(cap.num_layers)))
        write_payload(tmp_path / f"{name}.features", encode_features(cap, range(cap.num_layers)), same_model=True)
        write_json(tmp_path / f"{name}.json", features_of(cap, vizvit.capture(family(vit, name), picture.rotate(90))))
    write_json(tmp_path / "standing.json", list(standing()))
    write_json(tmp_path / "numbers.json", list(numbers_written()))
    write_json(tmp_path / "limits.json", list(limits_of_maps()))
    write_json(tmp_path / "smooth.json", [smoothed(*shape) for shape in ((5, 7, 16), (4, 4, 3), (2, 9, 2), (1, 3, 4))])
    write_json(
        tmp_path / "cases.json", {"made": list(CASES), "real": list(REAL), "families": list(FAMILIES), "maps": MAPS}
    )
    files = sorted(str(path) for path in TESTS.glob("*.test.mjs"))
    done = subprocess.run(
        [NODE, "--test", *files],
        env={"VIZVIT_FIXTURES": str(tmp_path), "PATH": str(Path(NODE).parent)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def features_of(cap: vizvit.Capture, other: vizvit.Capture) -> dict:
    """What the library finds of each layer: attention, cosines of all tokens within the picture and of the first patch
    with the other picture's, components and their colours, norms with the artefact tokens' mask, limits."""
    prefix, layers = cap.grid.num_prefix_tokens, range(cap.num_layers)
    norms, artefacts = vizvit.token_norms(cap), [vizvit.artefact_tokens(cap, layer) for layer in layers]
    components = [vizvit.patch_components(cap, layer) for layer in layers]
    return {
        "attention": [cap.attention(layer) for layer in layers],
        "cosines": [
            [vizvit.patch_similarity(cap, token, layer) for token in range(cap.num_tokens)] for layer in layers
        ],
        "there": [vizvit.patch_similarity(cap, prefix, layer, other=other) for layer in layers],
        "area": vizvit.patch_similarity(cap, layer=1, area=(0, 0, 1, 1)),
        "components": components,
        "colours": [component_colors(part) for part in components],
        "both": vizvit.patch_components(cap, 1, other=other),
        "both_of_other": vizvit.patch_components(other, 1, other=cap),
        "norms": norms,
        "limits": [feature_limits(norms[layer + 1, prefix:]) for layer in layers],
        "artefacts": [found.mask for found in artefacts],
        "thresholds": [found.threshold for found in artefacts],
        "other": list(encode_features(other, layers, cap)),
    }


def write_payload(path: Path, blob: bytes, **more) -> None:
    """One byte in front: in the browser the bytes arrive unaligned."""
    session = {"start": 1, "selection": {"layer": 2, "head": None, "token": 0}, "texts": explorer.TEXTS} | more
    path.write_bytes(b"\0" + frame(session, blob))


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, default=lambda array: array.tolist()))


def survey_of(cap: vizvit.Capture) -> dict:
    """[layer, head, ...] of each; a sink is None where it is within rounding of either border."""
    received, sinks = vizvit.attention_received(cap), vizvit.attention_sinks(cap).astype(object)
    nudged = [sinks_of_shares(received, slack) for slack in (-0.02, 0.02)]
    sinks[nudged[0] != nudged[1]] = None
    return {
        "received": received,
        "distance": vizvit.attention_distance(cap),
        "entropy": vizvit.attention_entropy(cap),
        "prefix_share": vizvit.prefix_share(cap),
        "sinks": sinks,
    }


def rollouts_of(cap: vizvit.Capture) -> Iterator[dict]:
    """The chain by layer for each fusion and direction: of the first token, of a patch and of an area."""
    area = (0, 1, 1, 2)
    queries = [
        ({"token": 0}, [0]),
        ({"token": ("patch", 1, 2)}, [cap.grid.token(1, 2)]),
        ({"area": area}, [cap.grid.token(row, col) for row in (0, 1) for col in (1, 2)]),
    ]
    for fusion, direction, (query, tokens) in product(("mean", "max", "min"), ("from", "to"), queries):
        vector = np.zeros(cap.num_tokens)
        vector[tokens] = 1 / len(tokens)
        steps = vizvit.rollout_steps(cap, head_fusion=fusion, direction=direction, **query)
        np.testing.assert_allclose(
            steps[-1], vizvit.rollout(cap, head_fusion=fusion, direction=direction, **query), rtol=1e-4, atol=1e-7
        )
        steps = steps.reshape(len(steps), -1)
        yield {"fuse": fusion, "direction": direction, "vector": vector, "steps": steps}


def standing() -> Iterator[dict]:
    """Maps with none, one and several patches that stand out, and how many of the greatest have half of them."""
    rng = np.random.default_rng(4)
    for bright in ((), (7,), (3, 20, 61), (5,)):
        values = rng.gamma(20, 1, 80).astype(np.float32)
        values[list(bright)] = 4000 + 100 * np.arange(len(bright))
        values[:3] *= rng.random() < 0.5  # patches without anything take no part
        found = np.flatnonzero(standing_out(values.reshape(8, 10)))
        half = int(
            np.searchsorted(np.cumsum(np.sort(values)[::-1], dtype=np.float64), values.sum(dtype=np.float64) / 2)
        )
        yield {"map": values, "outstanding": found, "half": half + 1}


def numbers_written() -> Iterator[dict]:
    """Of numbers of every size and both signs, none half way between two that can be written."""
    for value in [0.0, *(sign * 7.31853 * 10.0**power for power in range(-12, 9) for sign in (1, -1))]:
        written = {"number": number(value), "share": share(value), "whole": share(value, 0)}
        yield {"value": value, **written, "fixed": fixed(value, 2), "rounding": rounding(value)}


def limits_of_maps() -> Iterator[dict]:
    """As the figures choose them, for all of MAPS."""
    maps = [np.array(values, dtype=np.float32) for values in MAPS]
    for mode, curve in product(("own", "shared", "absolute", "percentile"), ("linear", "log")):
        options = {"mode": "own", "others": maps} if mode == "shared" else {"mode": mode}
        found = [limits(values, log=curve == "log", **options) for values in maps]
        yield {"mode": mode, "curve": curve, "limits": found}


def smoothed(rows: int, cols: int, factor: int) -> dict:
    """Enlarged as `figures.overlay(smooth=True)` does."""
    values = np.random.default_rng(rows).gamma(0.5, 1, (rows, cols)).astype(np.float32)
    smooth = cv2.resize(values, (cols * factor, rows * factor), interpolation=cv2.INTER_CUBIC)
    return {"rows": rows, "cols": cols, "factor": factor, "values": values.ravel(), "smooth": smooth.ravel()}


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
    for path in modules(ENTRY):
        assert path.read_text(encoding="utf-8").splitlines()[0] in script, path.stem


def test_every_text_that_the_browser_reads_exists():
    script = explorer.script()
    used = set(re.findall(r"\btexts\.(\w+)", script)) | set(re.findall(r"dom\.labels\.(\w+) =", script))
    assert used <= set(explorer.TEXTS)
