"""The model that ships: its files, its card, and that it has learned what the card says."""

from __future__ import annotations

import hashlib
import json
import re
import socket

import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch
from local_data import local_data

import vizvit
from vizvit.model.loading import shipped_dir
from vizvit.model.snapshots import snapshots
from vizvit.texts.assets import assets_dir

WEIGHTS = shipped_dir() / "model.safetensors"
CARD = shipped_dir() / "README.md"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("something asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_it_loads_without_a_network(no_network):
    vit = vizvit.load_model()
    assert vit.trained
    assert vit.name == "vizvit-tiny"
    assert len(vit.labels) == vit.module.num_classes == 200
    assert not any(re.fullmatch(r"class \d+", label) for label in vit.labels)


def test_the_cards_hash_is_that_of_the_weights():
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in CARD.read_text("utf-8")


def test_labels_and_weights_fit():
    config = json.loads((shipped_dir() / "config.json").read_text("utf-8"))
    assert len(config["label_names"] if "label_names" in config else config["pretrained_cfg"]["label_names"]) == 200
    assert len(set(vizvit.load_model().labels)) > 195


def test_every_snapshot_loads_and_they_get_better(no_network):
    moments = snapshots("vizvit-tiny")
    assert moments[0].weights == "random"
    assert moments[-1].weights == "pretrained"
    assert len(moments) == 5
    assert [moment.top1 for moment in moments] == sorted(moment.top1 for moment in moments)
    seen = {vizvit.load_model(weights=m.weights).module.cls_token.sum().item() for m in moments}
    assert len(seen) == len(moments)


def test_the_assets_stay_small():
    total = sum(file.stat().st_size for file in assets_dir().rglob("*") if file.is_file())
    assert total < 32e6


def test_it_is_as_good_as_its_card_says():
    table = parquet.read_table(local_data("tiny-imagenet", "val.parquet"), columns=["image", "label"])
    rows = table.slice(0, 300).to_pylist()
    vit = vizvit.load_model(device="cpu")
    batch = torch.cat([vit.preprocess(vizvit.load_image(row["image"])) for row in rows])
    with torch.inference_mode():
        answers = [int(answer) for part in batch.split(20) for answer in vit.module(part).argmax(1)]
    top1 = np.mean([answer == row["label"] for answer, row in zip(answers, rows, strict=True)])
    said = float(re.search(r"\| top-1 \| ([\d.]+) %", CARD.read_text("utf-8"))[1]) / 100
    assert abs(top1 - said) < 0.08  # 300 of 8,000 pictures, always the same: nearly three standard errors
