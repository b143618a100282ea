"""Every Vision Transformer that timm has: shown in full, or refused with a reason."""

from __future__ import annotations

import re

import pytest
import timm
import torch
from torch.overrides import TorchFunctionMode

from vizvit.forward.recorder import Recorder, forward
from vizvit.model.names import MODULES, REFUSED, near
from vizvit.model.network import plain
from vizvit.model.vit import VitModel


@pytest.fixture
def no_values(monkeypatch):
    """On the meta device there are no values, only shapes, and computing none of them takes torch a while."""
    for name in ("layer_norm", "gelu", "silu"):
        monkeypatch.setattr(torch.nn.functional, name, lambda tensor, *args, **kwargs: tensor)
    monkeypatch.setattr(torch.nn.functional, "linear", linear_shape)


def linear_shape(tensor: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    assert tensor.shape[-1] == weight.shape[1]
    return tensor.new_empty(*tensor.shape[:-1], len(weight))


class AttentionShape(TorchFunctionMode):
    """Under the recorder, which sees the model's own call before."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is not torch.nn.functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        return attention_shape(*args, **(kwargs or {}))


def attention_shape(q, k, v, attn_mask=None, **options) -> torch.Tensor:
    weights = (*q.shape[:-1], k.shape[-2])
    assert q.shape[:-2] == k.shape[:-2] == v.shape[:-2] and q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2]
    assert attn_mask is None or torch.broadcast_shapes(attn_mask.shape, weights) == weights
    return q.new_empty(*q.shape[:-1], v.shape[-1])


def reason(name: str, **options: int) -> str | None:
    """Why a model cannot be shown, None where it can, by a pass without values."""
    try:
        module = plain(name, **options)
        vit = VitModel.wrap(module, name=name, device="meta")
        pixels = torch.zeros(1, 3, *vit.input_size, dtype=vit.dtype, device="meta")
        with torch.no_grad(), AttentionShape():
            forward(vit, Recorder(vit.num_layers), pixels)
    except ValueError as error:
        return str(error)
    return None


def few_blocks(name: str) -> dict[str, int]:
    """A model's blocks are made alike: three are as telling as forty. Sapiens 2 lists what is of each of its own."""
    return {} if "sapiens2" in name else {"depth": 3}


def test_all_of_timms_vision_transformers(no_values):
    names = [name for module in MODULES for name in timm.list_models(module=module)]
    reasons = {name: reason(name, **few_blocks(name)) for name in names}
    supported = [name for name, why_not in reasons.items() if why_not is None]
    print(f"{len(supported)} of {len(reasons)} architectures of timm {timm.__version__} can be shown.")
    refused = {name: why_not for name, why_not in reasons.items() if why_not is not None}
    assert len(supported) >= 290
    for name, why_not in refused.items():
        assert REFUSED.fullmatch(name), f"{name}: {why_not}"
        assert re.search(r"made 2 attention calls .*\. Choose a model", why_not)


@pytest.mark.parametrize("module", MODULES)
def test_one_of_each_of_timms_modules_with_all_its_blocks(no_values, module):
    name = next(name for name in timm.list_models(module=module) if not REFUSED.fullmatch(name))
    assert reason(name) is None


@pytest.mark.parametrize("name", ["resnet18", "swin_tiny_patch4_window7_224", "xcit_nano_12_p16_224", "mixer_s32_224"])
def test_other_models_are_refused_in_words(no_values, name):
    assert re.search(r"\. Choose a model", reason(name))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("vit_foo", None),
        ("vit_tiny_patch16", "vit_tiny_patch16_224"),
        ("vit_bse_patch16_224", "vit_base_patch16_224"),
        ("deit3_smal_patch16_224", "deit3_small_patch16_224"),
        ("resnet", None),
        ("", None),
    ],
)
def test_names_near_an_unknown_one_can_be_shown(name, meant):
    found = near(name)
    assert 1 <= len(found) <= 3 and len(set(found)) == len(found)
    assert meant is None or meant in found
    for other in found:
        assert timm.models._registry._model_to_module[other] in MODULES and not REFUSED.fullmatch(other)
