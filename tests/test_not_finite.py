"""What is not a number is named where it comes up, never drawn."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from PIL import Image

import vizvit
from vizvit import study
from vizvit.model.vit import VitModel


@pytest.fixture
def model():
    return vizvit.VitModel.wrap(timm.create_model("test_vit", num_classes=5), name="mine")


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (lambda m: m.blocks[1].attn.qkv.weight[: m.embed_dim], "The queries of layer 1 of mine"),
        (lambda m: m.blocks[1].attn.qkv.weight[m.embed_dim : 2 * m.embed_dim], "The keys of layer 1 of mine"),
        (lambda m: m.blocks[1].mlp.fc2.bias, "The queries of layer 2 of mine"),
        (lambda m: m.head.weight, "The outputs of mine"),
    ],
)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_went_bad_after_wrapping(model, picture, part, named, value):
    with torch.no_grad():
        part(model.module)[0] = value
    with pytest.raises(vizvit.CaptureError, match=f"{named} hold NaN or infinity"):
        vizvit.capture(model, picture)
    with pytest.raises(vizvit.CaptureError, match=named):
        list(vizvit.captures(model, [picture] * 2))


def test_large_numbers_are_numbers(model, picture):
    with torch.no_grad():
        model.module.head.bias.fill_(2e38)  # whose sum is infinite
    assert vizvit.capture(model, picture).logits.max() > 1e38


def test_a_study_names_such_pictures_and_leaves_them_out_of_its_means(model, tmp_path, monkeypatch):
    grey = lambda view: bool((view == 100).all())  # noqa: E731
    normalise = VitModel.normalise_all
    by = lambda views: torch.tensor([[[[0.0 if grey(view) else 1.0]]] for view in views])  # noqa: E731
    monkeypatch.setattr(VitModel, "normalise_all", lambda vit, views: normalise(vit, views) / by(views))
    side = model.input_size[0]
    pictures = {name: np.full((side, side, 3), 100, np.uint8) for name in ("good", "grey", "grey when filled", "torn")}
    pictures["good"][::2] = 200
    pictures["grey when filled"][::2], pictures["grey when filled"][1::2] = 90, 110
    both, alone = tmp_path / "both", tmp_path / "alone"
    for folder in (both, alone):
        folder.mkdir()
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(both / f"{name}.png")
    (both / "torn.png").write_bytes(b"torn")
    Image.fromarray(pictures["good"]).save(alone / "good.png")
    settings = study.Settings(methods=("attention",), faithfulness=True, steps=2, fill="mean")
    found = study.run(model, [both], tmp_path / "out", settings)
    assert (found["pictures"], found["measured"], found["broken"]) == (4, 1, 3)
    why = {one["name"]: one["error"] for one in found["broken_named"]}
    assert list(why) == ["grey when filled.png", "grey.png", "torn.png"]
    assert "The column deletion_attention of mine holds NaN" in why["grey when filled.png"]
    assert "The queries of layer 0 of mine hold NaN" in why["grey.png"]
    expected = study.run(model, [alone], tmp_path / "expected", settings)
    for part in ("heads", "methods", "probability"):
        assert found[part] == expected[part]
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "1 measured, 3 left out" in report
    assert "No agreement with boxes: no picture has a box" in report and "No spread: that takes two pictures" in report
    assert all(name in report and text.split(".")[0] in report for name, text in why.items())
    with pytest.raises(vizvit.ModelError, match=r"None of 1 pictures can be measured; good\.png: The queries"):
        monkeypatch.setattr(VitModel, "normalise_all", lambda vit, views: normalise(vit, views) * np.nan)
        study.run(model, [alone], tmp_path / "none")
