"""Twins and the anatomy of a forward pass, against the original's own parts."""

from __future__ import annotations

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from reference import largest_difference
from torch import nn

import vizvit
from vizvit.forward.anatomy import dissect
from vizvit.model.twin import twin

MODELS = {
    "vit": ("vit_tiny_patch16_224", {}),
    "distilled": ("deit_tiny_distilled_patch16_224", {}),
    "registers": ("vit_small_patch14_reg4_dinov2", {"image_size": 224}),
    "siglip": ("vit_base_patch16_siglip_224", {"heads": 3}),
    "rotary": ("eva02_tiny_patch14_224", {}),
    "separate": ("eva02_base_patch14_224", {"heads": 3}),
    "bias": ("beit_base_patch16_224", {"heads": 3}),
}
HOOKS = [name for name in vars(nn.Linear(1, 1)) if "hooks" in name]


def hooks_and_storage(module: nn.Module) -> list:
    """All that must not change: the hooks of every submodule, the parts' and the parameters' identities, the values."""
    hooks = [len(getattr(part, name)) for part in module.modules() for name in HOOKS]
    tensors = [*module.parameters(), *module.buffers()]
    places = [(id(t), t.data_ptr(), t._version, float(t.double().sum())) for t in tensors]
    return [hooks, [id(part) for part in module.modules()], places]


@pytest.fixture(params=MODELS)
def model(request, vit):
    name, options = MODELS[request.param]
    return vit(name, depth=2, num_classes=10, **options)


@pytest.fixture
def tiny(vit):
    return vit("vit_tiny_patch16_224", depth=2, num_classes=10)


# --- twins


def test_a_twin_shares_every_tensor_and_no_structure(tiny):
    double = twin(tiny.module)
    pairs = list(zip(tiny.module.named_parameters(), double.named_parameters(), strict=True))
    assert pairs
    assert all(one[0] == other[0] and one[1] is other[1] for one, other in pairs)
    assert not {id(part) for part in tiny.module.modules()} & {id(part) for part in double.modules()}
    assert [type(part) for part in tiny.module.modules()] == [type(part) for part in double.modules()]


def test_what_is_done_to_a_twin_never_shows_in_the_original(tiny, picture):
    pixels, before = tiny.preprocess(picture), hooks_and_storage(tiny.module)
    expected = tiny.module(pixels)
    double = twin(tiny.module)
    assert torch.equal(double(pixels), expected)
    calls = []
    double.blocks[0].attn.register_forward_hook(lambda *_: calls.append(1))
    double.blocks[1].register_forward_pre_hook(lambda *_: calls.append(2))
    double.blocks[1].mlp = nn.Identity()
    double.head.weight = nn.Parameter(torch.zeros_like(double.head.weight))
    double.norm.register_buffer("extra", torch.ones(1))
    assert not torch.equal(double(pixels), expected)
    assert calls == [1, 2]
    assert torch.equal(tiny.module(pixels), expected)
    assert calls == [1, 2]
    assert hooks_and_storage(tiny.module) == before


def test_a_shared_part_and_bound_methods_stay_the_twins_own():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = self.second = nn.Linear(3, 3)
            self.nothing = None
            self.run = self.plain

        def plain(self, x):
            return self.first(x)

        def forward(self, x):
            return self.run(self.second(x))

    original = Odd()
    original.register_forward_hook(lambda module, args, out: out + 1)
    double, x = twin(original), torch.ones(1, 3)
    assert double.first is double.second is not original.first
    assert torch.equal(double(x), original(x))
    double.first = nn.Identity()
    assert torch.allclose(double(x), double.second(x) + 1)  # its own method, its own part, the original's hook


# --- dissecting


def test_nothing_touches_the_original(tiny, picture):
    before, view = hooks_and_storage(tiny.module), tiny.view(picture)
    dissect(tiny, view)
    assert hooks_and_storage(tiny.module) == before


@pytest.mark.parametrize("place", ["blocks.1.mlp.fc2", "patch_embed", "head"])
def test_nothing_is_left_after_an_exception(tiny, picture, place):
    def fail(*_):
        raise RuntimeError("out of order")

    broken = copy.deepcopy(tiny.module)
    broken.get_submodule(place).forward = fail
    before = hooks_and_storage(broken)
    with pytest.raises(vizvit.CaptureError, match="out of order"):
        dissect(dataclasses.replace(tiny, module=broken), tiny.view(picture))
    assert hooks_and_storage(broken) == before


def test_threads_share_one_model(tiny, pictures):
    views = [tiny.view(picture) for picture in pictures]
    jobs = [(view, layer) for view in views for layer in (0, 1)] * 3
    alone = [dissect(tiny, view, layer) for view, layer in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: dissect(tiny, *job), jobs))
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one.streams, other.streams)
        assert torch.equal(one.block.head_outputs, other.block.head_outputs)
        assert torch.equal(one.block.hidden, other.block.hidden)


def test_wrong_pixels_and_layers_are_refused_in_words(tiny, picture):
    view = tiny.view(picture)
    for wrong in (view[:-1], view.astype(np.float32), view[..., 0]):
        with pytest.raises(vizvit.CaptureError, match="was expected"):
            dissect(tiny, wrong)
    for layer in (2, -3):
        with pytest.raises(vizvit.CaptureError, match="layers 0 to 1"):
            dissect(tiny, view, layer)
    assert dissect(tiny, view, -1).layer == 1


def test_a_model_that_drops_tokens_is_refused_in_words(tiny, picture):
    shortened = twin(tiny.module)
    shortened.blocks[0].register_forward_hook(lambda module, args, out: out[:, :-3])
    with pytest.raises(vizvit.CaptureError, match="194 or 197 tokens"):
        dissect(dataclasses.replace(tiny, module=shortened), tiny.view(picture))


@torch.no_grad()
def test_the_streams_and_ends_are_the_models_own(model, picture):
    view = model.view(picture)
    a, module, pixels = dissect(model, view, 1), model.module, model.normalise(view)
    cap = vizvit.capture_view(model, view)
    assert largest_difference(a.embedded, module.patch_embed(pixels)[0]) < 1e-6
    embedded = module.patch_embed(pixels)
    sequence = module._pos_embed(embedded) if hasattr(module, "_pos_embed") else a.z0[None]
    sequence = sequence[0] if isinstance(sequence, tuple) else sequence
    assert largest_difference(a.z0, sequence[0]) < 1e-6
    assert a.streams.shape == (3, model.grid.num_tokens, module.embed_dim)
    for layer in (0, 1):
        assert largest_difference(a.streams[layer + 1], cap.tokens(layer)) < 1e-6
    assert largest_difference(a.final.logits, cap.logits) < 1e-6
    assert largest_difference(a.final.normed, module.norm(a.streams[-1][None])[0]) < 1e-6
    assert largest_difference(a.final.logits, module(pixels)[0]) < 1e-6
    assert float(a.streams.std()) > 0.05
    assert len(a.prefix) == model.grid.num_prefix_tokens


@torch.no_grad()
def test_the_blocks_inside_is_the_models_own(model, picture):
    a = dissect(model, model.view(picture), 1)
    block, trace = model.module.blocks[1], a.block
    cap = vizvit.capture_view(model, a.view)
    assert torch.equal(trace.x, a.streams[1])
    assert torch.equal(trace.after, a.streams[2])
    assert largest_difference(trace.norm1, block.norm1(trace.x)) < 1e-6
    assert largest_difference(trace.q, cap.queries(1)) < 1e-6
    assert largest_difference(trace.k, cap.keys(1)) < 1e-6
    assert trace.scale == cap.scale(1)
    assert (trace.bias is None) == (cap.bias(1) is None)
    heads = F.scaled_dot_product_attention(trace.q, trace.k, trace.v, attn_mask=trace.bias, scale=trace.scale)
    assert largest_difference(trace.head_outputs, heads) < 1e-5
    assert largest_difference(trace.attended, block.attn.proj(trace.entering)) < 1e-5
    written = trace.attended if trace.attended_scaled is None else trace.attended_scaled
    assert largest_difference(trace.after_attention, trace.x + written) < 1e-6
    assert largest_difference(trace.norm2, block.norm2(trace.after_attention)) < 1e-6
    assert largest_difference(trace.mlp_out, block.mlp(trace.norm2)) < 1e-5
    assert largest_difference(trace.mlp_out, block.mlp.fc2(trace.hidden)) < 1e-5
    written = trace.mlp_out if trace.mlp_scaled is None else trace.mlp_scaled
    assert largest_difference(trace.after, trace.after_attention + written) < 1e-6
    for field in dataclasses.fields(trace):
        value = getattr(trace, field.name)
        if isinstance(value, torch.Tensor):
            assert float(value.std()) > 1e-3, field.name


def test_the_weights_are_references(tiny, picture):
    a, block = dissect(tiny, tiny.view(picture), 0), tiny.module.blocks[0]
    storage = {tensor.untyped_storage().data_ptr() for tensor in tiny.module.parameters()}
    parts = [a.parts.attention.query, a.parts.attention.value, a.parts.mlp.first, a.head.linear, a.kernel]
    assert all(part.weight.untyped_storage().data_ptr() in storage for part in parts)
    assert a.parts.norm1.weight is block.norm1.weight


def test_numbers_for_texts(tiny, picture):
    numbers = dissect(tiny, tiny.view(picture)).numbers()
    expected = {"rows": 14, "tokens": 197, "dim": 192, "heads": 3, "head_dim": 64, "hidden": 768, "values": 768}
    expected |= {"layers": 2, "layer": 1, "classes": 10, "prefix": 1, "patch": 16, "channels": 3}
    assert expected.items() <= numbers.items()


def test_the_bytes_that_are_held(tiny, picture):
    a = dissect(tiny, tiny.view(picture))
    kept = [a.view, a.pixels, a.embedded, a.prefix, a.position, a.z0, a.streams, a.final.normed, a.final.logits]
    kept += [value for value in vars(a.block).values() if isinstance(value, torch.Tensor)]
    assert a.nbytes == pytest.approx(sum(array.nbytes for array in kept), rel=0.01)


def test_a_block_of_another_kind_has_no_trace(vit, picture):
    model = vit("vit_base_patch16_rpn_224", depth=1, num_classes=10)  # its norms come after attention and MLP
    a = dissect(model, model.view(picture))
    assert a.block is None
    assert a.streams.shape[0] == 2
