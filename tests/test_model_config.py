"""A model's configuration and weights are checked before anything large is built of them."""

from __future__ import annotations

import json
import resource

import pytest
import timm
import torch

import vizvit
from vizvit.model import config
from vizvit.model.labels import read_labels
from vizvit.model.loading import shipped_dir

TINY = "test_vit"
CFG = {"num_classes": 7, "input_size": [3, 160, 160], "mean": [0.5] * 3, "std": [0.5] * 3}


@pytest.fixture
def folder(tmp_path):
    timm.models.save_for_hf(timm.create_model(TINY, num_classes=7), tmp_path, safe_serialization=True)
    return tmp_path


def configured(folder, top=None, cfg=None, args=None):
    content = {"architecture": TINY, "num_classes": 7, "pretrained_cfg": CFG | (cfg or {}), "model_args": args or {}}
    (folder / "config.json").write_text(json.dumps(content | (top or {})))
    return folder


def test_a_sound_one_is_taken(folder):
    assert config.check_config(folder / "config.json") and config.check_config(shipped_dir() / "config.json")
    assert len(vizvit.load_model(configured(folder), device="cpu").labels) == 7


BAD = [
    ("cfg", {"crop_pct": 1e-5}),
    ("cfg", {"crop_pct": -1}),
    ("cfg", {"crop_pct": "0.9"}),
    ("cfg", {"crop_pct": True}),
    ("cfg", {"interpolation": "magic"}),
    ("cfg", {"interpolation": ["bicubic"]}),
    ("cfg", {"crop_mode": "spiral"}),
    ("cfg", {"mean": 0.5}),
    ("cfg", {"mean": [0.5, 0.5]}),
    ("cfg", {"mean": [0.5, 0.5, "x"]}),
    ("cfg", {"std": [0, 0, 0]}),
    ("cfg", {"std": [0.5, 0.5, -0.5]}),
    ("cfg", {"input_size": 160}),
    ("cfg", {"input_size": [160, 160]}),
    ("cfg", {"input_size": [3, 160, 10**9]}),
    ("cfg", {"input_size": [3, 160.5, 160]}),
    ("top", {"label_names": {"a": 1}}),
    ("top", {"label_names": ["a", 1]}),
    ("top", {"label_names": "abcdefg"}),
    ("top", {"num_classes": 10**12}),
    ("top", {"num_classes": -1}),
    ("top", {"num_classes": "7"}),
    ("top", {"architecture": 7}),
    ("top", {"model_args": [1]}),
    ("top", {"pretrained_cfg": "x"}),
    ("args", {"depth": 20_000}),
    ("args", {"embed_dim": 10**9}),
    ("args", {"img_size": 10**6}),
    ("args", {"patch_size": 0}),
]


@pytest.mark.parametrize(("place", "content"), BAD, ids=[json.dumps(content)[:40] for _, content in BAD])
def test_a_field_of_the_wrong_kind_is_named(folder, place, content, monkeypatch):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("something was built"))
    (field,) = content
    with pytest.raises(vizvit.ModelError, match=rf'timm model configuration: "{field}" is to be .*; received '):
        vizvit.load_model(configured(folder, **{place: content}), device="cpu")


def test_what_is_larger_than_the_memory_is_only_counted(folder, monkeypatch):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(vizvit.ModelError, match=r"million parameters, .* GB, but this machine has"):
        vizvit.load_model(configured(folder, args={"embed_dim": 16384, "depth": 100}), device="cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 19  # KB
    monkeypatch.setattr(config, "memory", lambda: 10_000_000)
    with pytest.raises(vizvit.ModelError, match=r"vit_tiny_patch16_224 has 6 million parameters, 0\.0 GB"):
        vizvit.load_model("vit_tiny_patch16_224", weights="random", device="cpu")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_named(folder, value):
    weights = timm.create_model(TINY, num_classes=7).state_dict()
    weights["blocks.1.mlp.fc1.weight"][3, 4] = value
    torch.save(weights, folder / "mine.pth")
    with pytest.raises(vizvit.ModelError, match=r"1 of .* numbers in blocks\.1\.mlp\.fc1\.weight are NaN or inf"):
        vizvit.load_model(folder / "mine.pth", arch=TINY, device="cpu")


def test_large_weights_are_numbers_all_the_same():
    module = torch.nn.Linear(4, 4)
    module.weight.data.fill_(3e38)  # whose sum is infinite
    config.check_finite(module, "large")


def test_a_classifier_that_is_one_number(folder):
    weights = timm.create_model(TINY, num_classes=7).state_dict() | {"head.weight": torch.tensor(1.0)}
    torch.save(weights, folder / "mine.pth")
    with pytest.raises(vizvit.ModelError, match=r"mine\.pth"):
        vizvit.load_model(folder / "mine.pth", arch=TINY, device="cpu")


@pytest.mark.parametrize("field", ["mean", "std"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_wrapped_modules_are_checked_too(field, value):
    module = timm.create_model(TINY)
    module.pretrained_cfg = dict(module.pretrained_cfg) | {field: (0.5, value, 0.5)}
    with pytest.raises(vizvit.ModelError, match=f"The {field} of mine is to be numbers"):
        vizvit.VitModel.wrap(module, name="mine")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"0": "a", "2": "b"}', "indices"),
        ('{"0": "a", "0": "b"}', "twice"),
        ('{"a": "b"}', "indices"),
        ('{"0": "a", "00": "b"}', "indices"),
        ("7", "no list"),
        ("[[1], [2]]", "no list"),
        ("[" * 10_000, "nested"),
    ],
)
def test_labels_that_are_none(tmp_path, text, reason):
    file = tmp_path / "labels.json"
    file.write_text(text)
    with pytest.raises(vizvit.ModelError, match=rf"class names in .* cannot be read.*{reason}"):
        read_labels(file)


def test_a_labels_file_of_a_gigabyte_is_not_read(tmp_path):
    for name in ("labels.txt", "labels.json"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(1 << 30)
        with pytest.raises(vizvit.ModelError, match="larger than 16 MB"):
            read_labels(tmp_path / name)
