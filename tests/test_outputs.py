"""What a model's outputs mean: one class, several labels at once, a value or several, or features without classes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from pyarrow import parquet
from reference import awaken

import vizvit
from vizvit import study, walk
from vizvit.cli import main
from vizvit.faithful.stream import filled
from vizvit.model.directory import said_by
from vizvit.model.vit import VitModel

SIZE = {"img_size": 48, "depth": 2, "embed_dim": 48, "num_heads": 3}


def module_of(classes: int, channels: int = 3) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = timm.create_model("vit_tiny_patch16_224", num_classes=classes, in_chans=channels, **SIZE)
        awaken(module)
        if classes:
            torch.nn.init.normal_(module.head.weight)
            torch.nn.init.constant_(module.head.bias, 100.0)  # far from 0, as an age or a weight is
    return module


def model(classes: int, outputs: str | None = None, labels=None) -> VitModel:
    return VitModel.wrap(module_of(classes), name="mine", outputs=outputs, labels=labels)


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max())
    return powers / powers.sum()


CASES = {  # (classes, asked) -> (kind, first label, predictions of the logits)
    "one output": (1, None, "value", "output 0", lambda x: x),
    "one output that is a class": (1, "softmax", "softmax", "class 0", softmax),
    "one label": (1, "sigmoid", "sigmoid", "label 0", lambda x: 1 / (1 + np.exp(-x))),
    "classes": (3, None, "softmax", "class 0", softmax),
    "labels": (3, "sigmoid", "sigmoid", "label 0", lambda x: 1 / (1 + np.exp(-x))),
    "values": (3, "value", "value", "output 0", lambda x: x),
    "features": (0, None, "softmax", None, None),
    "features that are values": (0, "value", "value", "output 0", lambda x: x),
}


@pytest.mark.parametrize(("classes", "asked", "kind", "label", "read"), CASES.values(), ids=CASES)
def test_what_is_read_off_the_outputs(picture, classes, asked, kind, label, read):
    vit = model(classes, asked)
    cap = vizvit.capture(vit, picture)
    assert (vit.outputs, vit.labels[:1]) == (kind, () if label is None else (label,))
    with torch.no_grad():
        out = vit.module(vit.preprocess(picture))[0].numpy()
    if label is None:
        assert not len(cap.predictions) and not len(cap.probabilities)
        np.testing.assert_allclose(cap.features, out, rtol=1e-4, atol=1e-5)
        return
    np.testing.assert_allclose(cap.logits, out, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(cap.predictions, read(cap.logits), rtol=1e-4)
    np.testing.assert_array_equal(cap.probabilities, [] if kind == "value" else cap.predictions)


def test_an_unknown_kind_and_names_that_are_too_many():
    with pytest.raises(vizvit.ModelError, match='one of the kinds "softmax", "sigmoid", "value"; received \'logits\''):
        model(3, "logits")
    with pytest.raises(vizvit.ModelError, match="2 names were given for mine, which gives 1 value"):
        model(1, labels=["age", "weight"])
    with pytest.raises(vizvit.ModelError, match="no output 3: mine has outputs 0 to 2"):
        model(3, "value").class_index(3)


def test_what_transformers_says_of_its_outputs():
    config = {"model_type": "vit", "image_size": 48, "id2label": {"0": "age", "1": "weight"}}
    for problem, kind in (("regression", "value"), ("multi_label_classification", "sigmoid"), (None, None)):
        said = said_by(config | {"problem_type": problem}, None, "mine")
        module = module_of(2)
        module.pretrained_cfg = dict(said.config)
        assert said.config.get("outputs") == kind
        assert VitModel.wrap(module, name="mine").outputs == (kind or "softmax")
        assert VitModel.wrap(module, name="mine", outputs="softmax").outputs == "softmax"


# --- explanations and curves


@pytest.mark.parametrize(("classes", "kind"), [(1, "value"), (3, "value"), (3, "sigmoid")])
def test_curves_follow_the_output_itself(picture, classes, kind):
    vit = model(classes, kind)
    view = vit.view(picture)
    heat = np.arange(9.0).reshape(3, 3)
    curves = vizvit.faithfulness(vit, view, heat)
    first = 0 if kind == "value" else int(vizvit.capture(vit, picture).logits.argmax())
    assert (curves.target, curves.outputs) == (first, kind)

    def read(pixels: np.ndarray) -> float:
        with torch.no_grad():
            out = vit.module(vit.normalise(pixels))[0, first]
        return float(out if kind == "value" else out.sigmoid())

    mixed, empty = view.copy(), filled(view, "blur", 16)
    mixed[32:, 16:] = empty[32:, 16:]  # the two highest patches
    np.testing.assert_allclose(curves.deletion[[0, 2, -1]], [read(view), read(mixed), read(empty)], rtol=1e-4)
    np.testing.assert_allclose(curves.insertion[[0, -1]], [read(empty), read(view)], rtol=1e-4)
    deletion, insertion = curves.deletion.astype(float), curves.insertion.astype(float)
    if kind == "value":
        towards = 1 if deletion[0] > deletion[-1] else -1
        deletion, insertion = (towards * (curve - curves.deletion[-1]) for curve in (deletion, insertion))
    assert curves.deletion_area == pytest.approx(np.trapezoid(deletion, dx=1 / 9), rel=1e-4, abs=1e-5)
    assert curves.insertion_area == pytest.approx(np.trapezoid(insertion, dx=1 / 9), rel=1e-4, abs=1e-5)


def test_areas_of_a_value_do_not_depend_on_its_zero_or_its_sign(picture):
    heat, found = np.random.default_rng(0).random((3, 3)), []
    for sign, zero in ((1, 0), (1, 1000), (-1, 0)):
        module = module_of(1)
        with torch.no_grad():
            module.head.weight.mul_(sign)
            module.head.bias.mul_(sign).add_(zero)
        vit = VitModel.wrap(module, name="mine")
        curves = vizvit.faithfulness(vit, vit.view(picture), heat)
        chance = vizvit.random_curves(vit, vit.view(picture), seeds=2)
        found.append([curves.deletion_area, curves.insertion_area, *chance.deletion_areas, *chance.insertion_areas])
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-2, atol=1e-3)
    assert np.ptp(found[0]) > 0.1


def test_gradients_are_of_the_first_value_and_of_the_likeliest_label(picture):
    for kind, first in (("value", 0), ("sigmoid", None)):
        vit = model(3, kind)
        cap = vizvit.capture(vit, picture)
        first = int(cap.logits.argmax()) if first is None else first
        heat = vizvit.explain(vit, cap.view, "relevance")
        np.testing.assert_allclose(heat, vizvit.relevance(vizvit.capture(vit, picture, target=first)), rtol=1e-5)


# --- the walk


@pytest.mark.parametrize(("classes", "kind"), [(1, "value"), (3, "value"), (3, "sigmoid"), (1, "softmax")])
def test_the_last_stage_where_outputs_do_not_compete(picture, classes, kind):
    vit = model(classes, kind)
    a = vizvit.dissect(vit, vit.view(picture))
    cap, made, lens = vizvit.capture(vit, picture), walk.head(a), walk.depth(a)
    assert made.difference < 1e-4 and made.runner_up is None
    assert made.winner == (0 if kind == "value" else int(cap.logits.argmax()))
    np.testing.assert_allclose(made.predictions, cap.predictions, rtol=1e-4)
    assert made.lead == pytest.approx(float(cap.logits[made.winner]), rel=1e-4)
    assert made.contributions.sum() + made.bias_contribution == pytest.approx(made.lead, rel=1e-4)
    if kind == "value":
        np.testing.assert_array_equal(lens.lens[-1], np.arange(classes))
        assert not lens.patch_lens.any()
    np.testing.assert_allclose(lens.lens_probability[-1], cap.predictions[lens.lens[-1]], rtol=1e-4)


def test_the_last_stage_without_classes(picture):
    vit = model(0)
    made = walk.features(vizvit.dissect(vit, vit.view(picture)))
    assert made.difference < 1e-4 and made.read_out == "class token"
    np.testing.assert_allclose(made.normed, vizvit.capture(vit, picture).features, rtol=1e-3, atol=1e-4)


# --- commands and studies


def saved(folder: Path, classes: int, channels: int = 3) -> Path:
    options = {**SIZE, "num_classes": classes, "in_chans": channels}
    timm.models.save_for_hf(module_of(classes, channels), folder, model_args=options, safe_serialization=True)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[int, Path]:
    return {classes: saved(tmp_path_factory.mktemp(f"gives-{classes}"), classes) for classes in (0, 1, 3)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory, pictures) -> Path:
    place = tmp_path_factory.mktemp("photos")
    for number, one in enumerate(pictures):
        one.save(place / f"{number}.png")
    return place


@pytest.mark.parametrize(
    ("classes", "asked", "told"),
    [
        (1, [], r": output 0 \d+(\.\d)? -> "),
        (3, ["--outputs", "value"], r": output 0 \S+, output 1 \S+, output 2 \S+ -> "),
        (3, ["--outputs", "sigmoid"], r": (label \d 100.0 %(, )?)+ -> "),
        (0, [], ": no classifier, 48 features -> "),
    ],
)
def test_commands_tell_what_the_model_gives(folders, photos, tmp_path, capsys, classes, asked, told):
    line = ["heads", str(photos / "0.png"), "--model", str(folders[classes]), "--device", "cpu", "--out", str(tmp_path)]
    assert main([*line, *asked]) == 0
    out = capsys.readouterr().out
    assert re.search(told, out), out
    with np.load(tmp_path / "0-heads.npz") as numbers:
        names = {"values", "probabilities"} & set(numbers.files)
        assert names == ({"probabilities"} if "sigmoid" in asked else {"values"} if classes else set())
        about = json.loads(str(numbers["about"]))
        assert about["outputs"] == (("sigmoid" if "sigmoid" in asked else "value") if classes else None)


def test_a_study_of_values(folders, photos, tmp_path):
    vit = vizvit.load_model(folders[1], device="cpu", labels=["age"])
    settings = study.Settings(methods=("relevance", "random"), faithfulness=True)
    found = study.run(vit, [photos], tmp_path / "out", settings)
    rows = parquet.read_table(tmp_path / "out" / "pictures.parquet").to_pylist()
    caps = [vizvit.capture(vit, vizvit.load_image(photos / row["name"])) for row in rows]
    np.testing.assert_allclose([row["value"] for row in rows], [cap.logits[0] for cap in caps], rtol=1e-4)
    assert {(row["probability"], row["rank"], row["predicted"]) for row in rows} == {(None, None, 0)}
    assert found["outputs"] == "value" and found["value"]["mean"] == pytest.approx(100, abs=20)
    for row, cap in zip(rows, caps, strict=True):
        curves = vizvit.faithfulness(vit, cap.view, vizvit.explain(vit, cap.view, "relevance"))
        assert row["insertion_relevance"] == pytest.approx(curves.insertion_area, rel=1e-2, abs=1e-3)
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "in the model&#x27;s own units" in report and "class&#x27;s probability" not in report
    other = vizvit.load_model(folders[1], device="cpu", labels=["age"], outputs="sigmoid")
    with pytest.raises(vizvit.ModelError, match="holds a study of other outputs"):
        study.run(other, [photos], tmp_path / "out", settings)


def test_a_study_of_a_model_of_one_channel(photos, tmp_path):
    vit = vizvit.load_model(saved(tmp_path / "grey", 3, channels=1), device="cpu")
    found = study.run(vit, [photos], tmp_path / "out", study.Settings(methods=("relevance",), faithfulness=True))
    assert found["measured"] == 3
    assert "weights of a local directory, pictures seen in grey" in (tmp_path / "out" / "report.html").read_text(
        "utf-8"
    )
    (row, *_) = parquet.read_table(tmp_path / "out" / "pictures.parquet").to_pylist()
    cap = vizvit.capture(vit, Image.open(photos / row["name"]))
    np.testing.assert_array_equal(cap.view[..., 0], cap.view[..., 2])
    assert row["probability"] == pytest.approx(cap.probabilities.max(), rel=1e-4)
    heads = vizvit.head_statistics(cap)["entropy"]
    np.testing.assert_allclose(np.reshape(row["entropy"], heads.shape), heads, rtol=1e-4)
