"""What is not a number is named where it comes up, never drawn."""

from __future__ import annotations

import pytest
import timm
import torch

import vizvit


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
