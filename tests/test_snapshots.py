"""The weights that a training run left on its way."""

from __future__ import annotations

import json

import pytest
import torch
from timm.models import save_for_hf

import vizvit
from vizvit.model.snapshots import snapshots
from vizvit.training import snapshots as training


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A local directory with a model and the snapshots of its training: at 0, 5 and 100 per cent."""
    folder = tmp_path_factory.mktemp("model")
    module = vizvit.load_model("test_vit", weights="random").module
    entry = {"step": 0, "epoch": 0.0, "seconds": 0.0, "top1": 0.005, "top5": 0.02}
    training.take(module, folder / "snapshots", entry | {"fraction": 0.0})
    with torch.no_grad():
        module.cls_token.fill_(0.25)
    training.take(module, folder / "snapshots", entry | {"fraction": 0.05, "step": 9, "epoch": 0.7, "top1": 0.1})
    with torch.no_grad():
        module.cls_token.fill_(0.5)
    training.take(module, folder / "snapshots", entry | {"fraction": 1.0, "step": 99, "epoch": 13.2, "top1": 0.4})
    save_for_hf(module, folder, safe_serialization=True)
    return folder


def test_snapshots_lead_from_untrained_to_the_model(directory):
    moments = snapshots(directory)
    assert [moment.title for moment in moments] == ["untrained", "epoch 0.7", "epoch 13, the end"]
    assert [moment.top1 for moment in moments] == [0.005, 0.1, 0.4]
    values = [vizvit.load_model(directory, weights=m.weights).module.cls_token.mean().item() for m in moments]
    assert values[1:] == [0.25, 0.5]
    assert moments[-1].weights == "pretrained"


def test_the_untrained_network_needs_no_file(directory, tmp_path):
    index = directory / "snapshots" / "index.json"
    entries = json.loads(index.read_text())
    copy = tmp_path / "snapshots"
    copy.mkdir()
    (copy / "index.json").write_text(json.dumps([entries[0]]))
    assert snapshots(tmp_path)[0].weights == "random"


def test_a_model_without_snapshots_has_none(tmp_path):
    assert snapshots(tmp_path) == ()
    assert snapshots("vit_tiny_patch16_224") == ()


def test_a_broken_index_says_so(tmp_path):
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "index.json").write_text("[{}]")
    with pytest.raises(vizvit.ModelError, match=r"index\.json"):
        snapshots(tmp_path)
