"""Whatever comes in: a picture, a model, or one of the library's own errors; never another."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import timm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

import vizvit
from vizvit import cli, reading
from vizvit.explorer.payload import read_header
from vizvit.explorer.selection import fit
from vizvit.grid import PatchGrid
from vizvit.model import config
from vizvit.model.labels import read_labels
from vizvit.model.snapshots import snapshots
from vizvit.pages.experiments.temperature import nearest
from vizvit.pages.explore import boxes, link
from vizvit.study import read_summary
from vizvit.training import checkpoint, log
from vizvit.training.recipe import Recipe
from vizvit.training.sources import read_classes

OURS = (vizvit.ImageError, vizvit.ModelError, vizvit.CaptureError)
QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ODD = some.sampled_from(
    ["", "~nobody", "\0", "x" * 5000, "/dev/zero", "/", ".", "١", "-0", "nan", "5" * 5000, "\ud800", "🙂"]
)
TEXT = ODD | some.text(max_size=40)
HEADS = (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"RIFF\x00\x00\x00\x00WEBP")


def ours_alone(call) -> None:
    try:
        call()
    except OURS as error:
        assert str(error)


@QUICK
@given(some.sampled_from(HEADS), some.binary(max_size=300))
def test_pictures(head, body):
    ours_alone(lambda: vizvit.load_image(head + body))


@QUICK
@given(TEXT)
def test_names(text):
    ours_alone(lambda: vizvit.load_image(text))
    ours_alone(lambda: vizvit.load_model(text, weights="random", device="cpu"))
    ours_alone(lambda: vizvit.load_model("test_vit", weights=f"./{text}", device="cpu"))
    ours_alone(lambda: snapshots(text))
    ours_alone(lambda: read_labels(text))
    ours_alone(lambda: read_summary(text))


@QUICK
@given(
    some.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), some.sampled_from([".json", ".txt"])
)
def test_files(tmp_path, content, ending):
    for name in (f"labels{ending}", "summary.json", "config.json", "weights.pth", "weights.safetensors"):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "snapshots").mkdir(exist_ok=True)
    (tmp_path / "snapshots" / "index.json").write_bytes(content)
    ours_alone(lambda: read_labels(tmp_path / f"labels{ending}"))
    ours_alone(lambda: read_summary(tmp_path))
    ours_alone(lambda: snapshots(tmp_path))
    ours_alone(lambda: vizvit.load_model(tmp_path, device="cpu"))
    for name in ("weights.pth", "weights.safetensors"):
        ours_alone(lambda name=name: vizvit.load_model(tmp_path / name, arch="test_vit", device="cpu"))


FIELDS = (*config._CHECKS, "architecture", "model_args", "pretrained_cfg", "label_names", "fixed_input_size")


@QUICK
@given(some.dictionaries(some.sampled_from(FIELDS), JSON, max_size=3), some.sampled_from(["top", "cfg", "args"]))
def test_configurations(tmp_path, odd, place):
    content = {"architecture": "test_vit", "num_classes": 3, "pretrained_cfg": {"num_classes": 3}, "model_args": {}}
    inner = {"top": content, "cfg": content["pretrained_cfg"], "args": content["model_args"]}[place]
    inner |= odd
    (tmp_path / "config.json").write_text(json.dumps(content))
    ours_alone(lambda: vizvit.load_model(tmp_path, weights="random", device="cpu"))


@QUICK
@given(some.binary(max_size=64))
def test_explorer_files(body):
    for blob in (body, b"VZV1" + body, b"VZV1\x08\0\0\0" + body):
        ours_alone(lambda blob=blob: read_header(blob))


HEADER = {"num_layers": 6, "num_heads": 3, "num_tokens": 17, "rows": 4, "cols": 4}


@QUICK
@given(some.dictionaries(some.sampled_from(["layer", "head", "token", "area", "key", "opacity", "open", "fuse"]), JSON))
def test_selections_of_a_browser(selection):
    fitted = fit(selection, HEADER)
    assert 0 <= fitted["layer"] < 6 and 0 <= fitted["token"] < 17 and 0 <= fitted["opacity"] <= 1
    json.dumps(fitted, allow_nan=False)


@QUICK
@given(TEXT | some.text(alphabet="0123456789,.-e١", max_size=20))
def test_parameters_of_an_address(text):
    grid = PatchGrid(4, 4, 16, ("class",))
    number = reading.whole(text, 0, 9)
    assert number is None or 0 <= number <= 9
    box = boxes.box_of(text)
    assert box is None or 0 <= box[0] < box[2] <= 1
    assert set(link._query(text, grid)) <= {"token", "area"}
    assert nearest(text) is None or nearest(text) > 0


def options() -> Iterator[tuple[str, argparse.Action]]:
    """Every option of every command whose text is read as something else."""
    (commands,) = (action for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction))
    for name, parser in commands.choices.items():
        for action in parser._actions:
            if action.type not in (None, str, Path):
                yield f"{name} {action.dest}", action


@pytest.mark.parametrize(("name", "option"), list(options()))
def test_options_of_commands(name, option):
    assert option.type not in (int, float), "they take ١, nan and 5,000 digits"
    for text in ("", "nan", "inf", "-inf", "-1", "1e999", "5" * 5000, "١", "²", "0x10", "1_000", "\0", "\ud800", "🙂"):
        try:
            value = option.type(text)
        except argparse.ArgumentTypeError as error:
            assert 0 < len(str(error)) < 300
        else:
            assert not isinstance(value, float) or math.isfinite(value)


@QUICK
@given(some.dictionaries(some.sampled_from([field.name for field in fields(Recipe)]), JSON, max_size=3))
def test_recipes(given):
    ours_alone(lambda: Recipe.made(given))
    ours_alone(lambda: Recipe.made({}, given))


@QUICK
@given(some.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_what_a_training_left(tmp_path, content):
    (tmp_path / "model").mkdir(exist_ok=True)
    for name in (log.NAME, checkpoint.NAME, "classes.csv", f"model/{checkpoint.STANDING}", "model/model.safetensors"):
        (tmp_path / name).write_bytes(content)
    ours_alone(lambda: checkpoint.load(tmp_path))
    ours_alone(lambda: checkpoint.load_light(tmp_path))
    ours_alone(lambda: read_classes(tmp_path / "classes.csv"))
    assert all(entry["event"] and entry["step"] >= 0 for entry in log.read(tmp_path))
    log.rewind(tmp_path, 5)


@pytest.fixture(scope="module", autouse=True)
def without_a_network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


def test_a_model_is_there_to_be_spoilt():
    assert timm.is_model("test_vit")
