"""Many pictures: captures that stream, and all statistics of the heads from one pass, beside explicit float64."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from reference import largest_difference

import vizvit
from vizvit.forward import blocks
from vizvit.forward.call import Call
from vizvit.forward.weighted import gradient_rows

MODELS = [
    ("vizvit-tiny", {}),
    ("test_vit3", {}),  # no class token, a register, a pooling head
    ("beit_base_patch16_224", {"depth": 2, "heads": 3}),  # a bias of its own
    ("vit_base_patch16_gap_224", {"depth": 2, "heads": 3, "image_size": (48, 80)}),  # no prefix tokens
    ("vit_tiny_patch16_224", {"depth": 2, "image_size": 384}),  # more than 512 tokens
]
STATISTICS = ("distance", "entropy", "prefix_share", "received")


def explicit(cap: vizvit.Capture, attention: np.ndarray) -> dict[str, np.ndarray]:
    """The statistics by their definitions, float64, from [layer, head, query, key]."""
    prefix, places = cap.grid.num_prefix_tokens, np.array(cap.grid.places) * cap.grid.patch_size
    patches = attention[..., prefix:, prefix:]
    distances = np.linalg.norm(places[:, None] - places, axis=-1)
    sums = np.maximum(patches.sum(-1), 1e-300)
    logs = np.log(attention, where=attention > 0, out=np.zeros_like(attention))
    return {
        "distance": ((patches * distances).sum(-1) / sums).mean(-1),
        "entropy": -(attention * logs).sum(-1).mean(-1),
        "prefix_share": attention[..., prefix:, :prefix].sum(-1).mean(-1),
        "received": attention.mean(2),
    }


def attention_of(cap: vizvit.Capture) -> np.ndarray:
    """[layer, head, query, key] in float64."""
    layers = []
    for layer in range(cap.num_layers):
        scores = cap.queries(layer).astype(np.float64) @ cap.keys(layer).astype(np.float64).swapaxes(1, 2)
        scores = scores * cap.scale(layer) + (0 if cap.bias(layer) is None else cap.bias(layer))
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        weights[list(cap.silenced[layer])] = 0
        layers.append(weights)
    return np.stack(layers)


@pytest.mark.parametrize("numbers", [2**20, 3000], ids=["large blocks", "small blocks"])
@pytest.mark.parametrize(("name", "options"), MODELS)
def test_statistics_are_those_of_the_matrices(vit, picture, monkeypatch, name, options, numbers):
    monkeypatch.setitem(blocks.NUMBERS, "cpu", numbers)
    cap = vizvit.capture(vit(name, **options), picture)
    found, expected = vizvit.head_statistics(cap), explicit(cap, attention_of(cap))
    for statistic in STATISTICS:
        np.testing.assert_allclose(found[statistic], expected[statistic], rtol=1e-5, atol=1e-9, err_msg=statistic)
    for function in ("attention_distance", "attention_entropy", "prefix_share", "attention_received"):
        statistic = function.removeprefix("attention_")
        np.testing.assert_array_equal(getattr(vizvit, function)(cap), found[statistic])
    np.testing.assert_array_equal(vizvit.attention_sinks(cap), found["sinks"])
    assert found["sinks"].shape == (cap.num_layers, cap.num_heads, cap.num_tokens)


def test_layers_of_different_scales(vit, picture):
    cap = vizvit.capture(vit("vizvit-tiny"), picture)
    cap._calls[1] = replace(cap._calls[1], scale=0.5)
    found, expected = vizvit.head_statistics(cap), explicit(cap, attention_of(cap))
    for statistic in STATISTICS:
        np.testing.assert_allclose(found[statistic], expected[statistic], rtol=1e-5, atol=1e-9)


def test_a_head_that_is_knocked_out_has_nothing(vit, picture):
    changes = vizvit.KnockOutHeads({(1, 2), (5, 0)}), vizvit.DropPatches({(0, 0)})
    with vizvit.intervene(vit("vizvit-tiny"), *changes) as changed:
        cap = vizvit.capture(changed, picture)
        found, expected = vizvit.head_statistics(cap), explicit(cap, attention_of(cap))
        for statistic in STATISTICS:
            assert not found[statistic][1, 2].any()
            np.testing.assert_allclose(found[statistic], expected[statistic], rtol=1e-5, atol=1e-9)
        assert not found["sinks"][1, 2].any()


def test_a_masked_key_costs_nothing(vit, picture):
    with vizvit.intervene(vit("vizvit-tiny"), vizvit.KnockOutAttention({(1, 5)})) as changed:
        cap = vizvit.capture(changed, picture)
        assert np.isneginf(cap.bias(0)).any()
        found, expected = vizvit.head_statistics(cap), explicit(cap, attention_of(cap))
        for statistic in STATISTICS:
            np.testing.assert_allclose(found[statistic], expected[statistic], rtol=1e-5, atol=1e-9)


def without_lowest(fused: np.ndarray, share: float) -> np.ndarray:
    """The class token's row and column are spared."""
    kept = fused >= np.sort(fused, axis=None)[int(share * fused.size)]
    kept[0] = kept[:, 0] = True
    return fused * kept


@pytest.mark.parametrize("score", [-59, -39, 0, 39, 59])
def test_small_gradients_of_large_scores_keep_their_digits(score):
    """Exponentials of such scores are up to e⁵⁹, or gradients by their sums would be below what float32 holds."""
    rng = np.random.default_rng(0)
    q, k = np.full((2, 8, 4), score / 4), 1 + rng.uniform(-1e-3, 1e-3, (2, 8, 4))
    v, gradient = rng.normal(size=(2, 8, 4)), 1e-12 * rng.normal(size=(2, 8, 4))
    scores = q @ k.swapaxes(1, 2)
    attention = np.exp(scores - scores.max(-1, keepdims=True))
    attention /= attention.sum(-1, keepdims=True)
    expected = np.maximum(attention * (gradient @ v.swapaxes(1, 2)), 0).mean(0)
    tensors = {name: torch.from_numpy(array).float() for name, array in (("q", q), ("k", k), ("v", v))}
    call = Call(**tensors, scale=1.0, has_bias=False)
    ((_, found),) = gradient_rows(call, torch.from_numpy(gradient).float(), None, slice(0, 8))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("numbers", [2**20, 3000, 10], ids=["large blocks", "small blocks", "a row at a time"])
@pytest.mark.parametrize("discard", [0, 0.3])
def test_gradient_weighted_flows_are_the_products_of_the_matrices(vit, picture, monkeypatch, discard, numbers):
    monkeypatch.setitem(blocks.NUMBERS, "cpu", numbers)
    with vizvit.intervene(
        vit("vit_small_patch16_224", image_size=64, depth=3), vizvit.KnockOutHeads({(1, 2)})
    ) as model:
        cap = vizvit.capture(model, picture, target=1)
    relevance = flow = np.eye(cap.num_tokens)
    for layer, attention in enumerate(attention_of(cap)):
        gradient = cap.attention_gradients(layer)[1].double().numpy()
        fused = np.maximum(attention * gradient, 0).mean(0)
        np.testing.assert_allclose(cap.gradient_weighted_attention(layer), fused, rtol=1e-4, atol=1e-12)
        relevance = relevance + fused @ relevance
        if discard:
            fused = without_lowest(fused, discard)
        mixed = 0.3 * np.eye(cap.num_tokens) + 0.7 * fused
        flow = mixed / mixed.sum(-1, keepdims=True) @ flow
    for token in ("cls", ("patch", 2, 1)):
        index = cap.token_index(token)
        found = vizvit.relevance(cap, token=token)
        np.testing.assert_allclose(found, relevance[index, 1:].reshape(4, 4), rtol=1e-4)
        found = vizvit.gradient_rollout(cap, token=token, residual=0.3, discard_ratio=discard)
        np.testing.assert_allclose(found, flow[index, 1:].reshape(4, 4), rtol=1e-4)


@pytest.mark.parametrize("fusion", ["mean", "max", "min"])
@pytest.mark.parametrize("discard", [0, 0.3])
@pytest.mark.parametrize("numbers", [2**20, 3000], ids=["large blocks", "small blocks"])
def test_rollout_is_the_product_of_the_matrices(vit, picture, monkeypatch, fusion, discard, numbers):
    monkeypatch.setitem(blocks.NUMBERS, "cpu", numbers)
    with vizvit.intervene(vit("vizvit-tiny"), vizvit.KnockOutHeads({(1, 2)})) as changed:
        cap = vizvit.capture(changed, picture)
        flow, tokens = np.eye(cap.num_tokens), cap.num_tokens
        for attention in attention_of(cap):
            fused = getattr(attention, fusion)(0)
            if discard:
                fused = without_lowest(fused, discard)
            mixed = 0.3 * np.eye(tokens) + 0.7 * fused
            flow = mixed / mixed.sum(-1, keepdims=True) @ flow
        options = {"head_fusion": fusion, "discard_ratio": discard, "residual": 0.3}
        for token in ("cls", ("patch", 3, 7)):
            index = cap.token_index(token)
            for direction, expected in (("from", flow[index]), ("to", flow[:, index])):
                found = vizvit.rollout(cap, token=token, direction=direction, **options)
                expected = expected[1:].reshape(16, 16)
                if discard:  # what lies within rounding of the limit may fall on either side
                    assert largest_difference(found, expected) < 1e-4
                else:
                    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-12)
                steps = vizvit.rollout_steps(cap, token=token, direction=direction, **options)
                np.testing.assert_allclose(steps[-1], found, rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize("target", [None, 7])
def test_captures_are_single_captures(vit, pictures, target):
    model = vit("vizvit-tiny")
    views = [model.view(picture) for picture in pictures]
    given = [pictures[0], np.asarray(pictures[1]), *pictures[2:], views[0], views[1]]
    found = list(vizvit.captures(model, given, batch=2, target=target))
    assert len(found) == 5
    for cap, picture in zip(found, given, strict=True):
        alone = vizvit.capture(model, picture, target=target)
        np.testing.assert_array_equal(cap.view, alone.view)
        assert cap.target == target
        assert largest_difference(cap.logits, alone.logits) < 1e-6
        assert largest_difference(cap.attention(-1), alone.attention(-1)) < 1e-5
        if target is not None:
            assert largest_difference(vizvit.relevance(cap), vizvit.relevance(alone)) < 1e-5
    named = next(vizvit.captures(model, given, target=model.labels[7]))
    assert named.target == 7


def test_captures_are_made_when_their_turn_comes_and_not_kept(vit, picture):
    read, alive = [], []

    def endless():
        while True:
            read.append(len(read))
            yield picture

    stream = vizvit.captures(vit("vizvit-tiny"), endless(), batch=3)
    assert not read
    for _, cap in zip(range(7), stream, strict=False):
        alive.append(weakref.ref(cap))
        del cap
        gc.collect()
        assert sum(one() is not None for one in alive) <= 1
    assert len(read) <= 9


def test_a_picture_that_cannot_be_read_stops_the_stream_where_it_stands(vit, picture):
    stream = vizvit.captures(vit("vizvit-tiny"), [picture, picture, b"nothing", picture], batch=16)
    assert len([next(stream), next(stream)]) == 2
    with pytest.raises(vizvit.ImageError, match="Picture 2, counted from 0: "):
        next(stream)
    assert list(vizvit.captures(vit("vizvit-tiny"), [])) == []


@pytest.mark.parametrize("given", ["photos", b"bytes", 3])
def test_one_thing_is_not_many_pictures(vit, given):
    with pytest.raises(vizvit.CaptureError, match="Several pictures were expected"):
        vizvit.captures(vit("vizvit-tiny"), given)


@pytest.mark.parametrize("batch", [0, 1.5, True, "4"])
def test_a_batch_that_cannot_be(vit, batch):
    with pytest.raises(vizvit.CaptureError, match="whole number from 1; received"):
        vizvit.captures(vit("vizvit-tiny"), [], batch=batch)


def test_no_gradients_are_kept_by_a_pass_over_blocks(vit, picture):
    cap = vizvit.capture(vit("vizvit-tiny"), picture, target=3)
    with torch.enable_grad():
        assert not any(block.exponentials.requires_grad for block in cap.blocks(0))


@pytest.mark.parametrize("length", [1, 30, 3000], ids=["small scores", "beyond an exponential's range", "far beyond"])
def test_blocks_are_attention_whatever_the_scores(length):
    q, k = torch.randn(2, 3, 50, 8, generator=torch.Generator().manual_seed(0))
    expected = (q.double() @ k.double().transpose(1, 2) * length).softmax(-1)
    found = torch.cat([block.weights().clone() for block in blocks.blocks(q, k, length, None, ())], 1)
    assert float((found - expected).abs().max()) < 1e-5 * max(1, length / 30)
