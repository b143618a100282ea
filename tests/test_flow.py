"""Relevance and gradient rollout taken along with the backward pass: the same as afterwards, and as in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

import vizvit
from vizvit.forward import backward, blocks, recorder
from vizvit.forward.each_block import EachBlock
from vizvit.forward.flow import Flows


@pytest.fixture
def along(monkeypatch):
    """Small models, too, are taken along."""
    monkeypatch.setattr(backward, "LONG", 1)


def tensors(*shapes: tuple[int, ...], by: float = 1.0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [by * torch.randn(1, *shape, generator=generator) for shape in shapes]


@pytest.mark.parametrize("by", [1, 30], ids=["small scores", "large scores"])
@pytest.mark.parametrize("numbers", [2**21, 1000, 10], ids=["one block", "some blocks", "a row at a time"])
def test_a_backward_pass_in_blocks_is_the_whole_one(monkeypatch, numbers, by):
    monkeypatch.setitem(blocks.NUMBERS, "cpu", numbers)
    *given, gradient = tensors((3, 37, 8), (3, 37, 8), (3, 37, 5), (3, 37, 5))
    given = [(by**0.5 * one if index < 2 else one).requires_grad_() for index, one in enumerate(given)]
    gradient[:, 1] = 0  # as of a head that is knocked out
    pieces: list[tuple[slice, torch.Tensor]] = []

    def take(parts) -> None:
        pieces.extend((queries, weighted.clone()) for queries, weighted in parts)

    output = backward.Attention.apply(scaled_dot_product_attention, take, 8**-0.5, (1,), *given)
    mine = torch.autograd.grad(output, given, gradient)

    wide = [one.detach().double().requires_grad_() for one in given]
    attention = (wide[0] @ wide[1].mT * 8**-0.5).softmax(-1)
    expected = attention @ wide[2]
    torch.testing.assert_close(output.double(), expected, rtol=1e-4, atol=1e-5)
    for found, whole in zip(mine, torch.autograd.grad(expected, wide, gradient.double()), strict=True):
        torch.testing.assert_close(found.double(), whole, rtol=1e-4, atol=1e-5)
    of_attention = gradient.double() @ wide[2].mT
    weighted = (attention * of_attention).clamp(min=0)[0, [0, 2]].sum(0) / 3
    assert [queries.start for queries, _ in pieces] == [0, *(queries.stop for queries, _ in pieces[:-1])]
    found = torch.cat([piece for _, piece in pieces]).double()
    torch.testing.assert_close(found, weighted.detach(), rtol=1e-4, atol=1e-8)


MODELS = [
    ("vit_small_patch16_224", {"image_size": 64, "depth": 4}),
    ("vit_small_patch16_224", {"image_size": 64, "depth": 2}),
    ("vit_small_patch16_224", {"image_size": 64, "depth": 1}),
    ("vit_base_patch16_gap_224", {"depth": 3, "heads": 3, "image_size": (48, 80)}),  # the mean of the patches is read
    ("deit_tiny_distilled_patch16_224", {"image_size": 64, "depth": 3}),  # two tokens are
]


@pytest.mark.parametrize(("name", "options"), MODELS)
def test_what_is_taken_along_is_what_is_found_afterwards(vit, picture, monkeypatch, name, options):
    model = vit(name, **options)
    later = vizvit.capture(model, picture, target=1)
    monkeypatch.setattr(backward, "LONG", 1)
    monkeypatch.setitem(blocks.NUMBERS, "cpu", 300)
    cap = vizvit.capture(model, picture, target=1)
    assert len(cap._flows) == 2 and not later._flows
    for layer in range(cap.num_layers):
        for mine, other in zip(cap.attention_gradients(layer), later.attention_gradients(layer), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-7)
    for explain in (vizvit.relevance, vizvit.gradient_rollout):
        for include_own in (True, False):
            found, expected = (explain(one, token="read_out", include_own=include_own) for one in (cap, later))
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6 * expected.max())
    monkeypatch.setattr(vizvit.Capture, "gradient_rows", None)  # which nothing asks for any more
    assert vizvit.relevance(cap, token="read_out").max() > 0


def test_what_was_not_taken_along_is_found_all_the_same(vit, picture, along):
    model = vit("vit_small_patch16_224", image_size=64, depth=3)
    cap = vizvit.capture(model, picture, target=1)
    first = vizvit.relevance(cap)
    found = [
        vizvit.relevance(cap, token=("patch", 1, 2)),
        vizvit.gradient_rollout(cap),
        vizvit.gradient_rollout(cap, residual=0.3),
        vizvit.gradient_rollout(cap, start_layer=1),
        vizvit.gradient_rollout(cap, discard_ratio=0.5),
    ]
    assert all(np.abs(one - other).max() > 1e-9 for i, one in enumerate(found) for other in [first, *found[:i]])


def test_heads_that_are_knocked_out_give_nothing(vit, picture, along):
    model = vit("vit_small_patch16_224", image_size=64, depth=3)
    with vizvit.intervene(model, vizvit.KnockOutHeads({(1, 2), (1, 4), (2, 0)})) as changed:
        cap = vizvit.capture(changed, picture, target=1)
        assert cap._flows
        row = torch.eye(cap.num_tokens)[0].double()
        for layer in reversed(range(3)):
            attention, gradient = (one.double() for one in cap.attention_gradients(layer))
            row = row + row @ (attention * gradient).clamp(min=0).mean(0)
        np.testing.assert_allclose(vizvit.relevance(cap).ravel(), row[1:], rtol=1e-4)


def refused(model, picture) -> bool:
    return vizvit.capture(model, picture, target=1)._flows == ()


def test_some_models_are_not_taken_along(vit, picture, along, monkeypatch):
    assert refused(vit("test_vit3"), picture)  # a pooling head
    assert refused(vit("beit_base_patch16_224", depth=2, heads=3), picture)  # a bias
    plain = vit("vit_small_patch16_224", image_size=64, depth=3)
    assert not refused(plain, picture)
    with torch.autocast("cpu"):
        assert refused(plain, picture)
    monkeypatch.setattr(recorder, "LARGE", 1)  # blocks are computed anew, outside of the recorder
    assert refused(plain, picture)


@pytest.mark.parametrize("layers", [(2, 0), (1, 2, 0), (1, 0), (2, 1, 1, 0), (2, 1)])
def test_layers_out_of_their_turn_are_not_taken(layers):
    flows = Flows(torch.eye(4)[0], 3)
    asked: list[int] = []

    def pieces():
        for query in range(4):
            asked.append(query)
            yield slice(query, query + 1), torch.ones(1, 4)

    for layer in layers:
        flows.take(layer, pieces())
    assert asked == len(layers) * [0, 1, 2, 3] and flows.done == ()


def test_a_backward_pass_that_is_taken_along_can_be_ended(vit, picture, along):
    class Enough(Exception):
        pass

    model = vit("vit_small_patch16_224", image_size=64, depth=4)
    calls = {"made": 0, "allowed": 10**6}

    def tell() -> None:
        calls["made"] += 1
        if calls["made"] > calls["allowed"]:
            raise Enough

    with EachBlock(tell):
        vizvit.capture(model, picture, target=1)
        whole, calls["made"] = calls["made"], 0
        for allowed in range(4, whole):
            calls.update(made=0, allowed=allowed)
            with pytest.raises(Enough):
                vizvit.capture(model, picture, target=1)


def test_two_passes_at_once_have_memory_of_their_own(vit, picture):
    cap = vizvit.capture(vit("vizvit-tiny"), picture)
    vizvit.rollout(cap)  # so that there is some to be had
    pairs = zip(cap.blocks(0), cap.blocks(1), strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one.weights().cpu(), cap.attention(0)[one.heads, one.queries], atol=1e-6)
        np.testing.assert_allclose(other.weights().cpu(), cap.attention(1)[other.heads, other.queries], atol=1e-6)


def test_memory_of_inference_mode_is_not_used_outside(vit, picture):
    cap = vizvit.capture(vit("vizvit-tiny"), picture)
    expected = vizvit.rollout(cap)
    blocks._idle.__dict__.clear()
    with torch.inference_mode():
        inside = vizvit.rollout(cap)
    np.testing.assert_array_equal(inside, expected)
    np.testing.assert_array_equal(vizvit.rollout(cap), expected)
