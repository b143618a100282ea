"""Token norms, artefact tokens, patch similarity and components against float64 of streams that hooks have seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from reference import FAMILIES, family, largest_difference

import vizvit
from vizvit.analysis.features import artefact_shares, component_chain
from vizvit.cli import main
from vizvit.errors import CaptureError
from vizvit.features import high_population
from vizvit.features.components import aligned


@torch.no_grad()
def streams_of(cap) -> np.ndarray:
    """float64 [layer + 1, token, dim]: the first block's input and each block's output, seen by hooks."""
    module, seen = cap.vit.module, []
    blocks = list(module.blocks)
    hooks = [blocks[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))]
    hooks += [block.register_forward_hook(lambda _, args, out: seen.append(out)) for block in blocks]
    try:
        module(cap.pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat(seen).double().numpy()


@pytest.mark.parametrize("name", FAMILIES)
def test_features_are_those_of_the_stream(vit, picture, name):
    cap = vizvit.capture(family(vit, name), picture)
    grid, streams = cap.grid, streams_of(cap)
    prefix = grid.num_prefix_tokens
    norms = np.sqrt((streams**2).sum(-1))
    assert largest_difference(vizvit.token_norms(cap), norms) < 1e-5
    token = grid.token(1, 2)
    for layer in (0, cap.num_layers - 1):
        after, length = streams[layer + 1], norms[layer + 1]
        cosines = after @ after[token] / length / length[token]
        found = vizvit.patch_similarity(cap, ("patch", 1, 2), layer)
        assert found.dtype == np.float32 and abs(found[1, 2] - 1) < 1e-6
        assert largest_difference(found.ravel(), cosines[prefix:]) < 1e-5
        centred = after[prefix:] - after[prefix:].mean(0)
        left, values, _ = np.linalg.svd(centred, full_matrices=False)
        expected = left[:, :3] * values[:3]
        ours = vizvit.patch_components(cap, layer).reshape(-1, 3)
        between = np.abs(expected.T @ ours) / np.outer(values[:3], np.linalg.norm(ours, axis=0))
        counterpart = between.argmax(0)
        assert sorted(counterpart) == [0, 1, 2] and between.max(0).min() > 1 - 1e-4
        if layer:
            assert list(counterpart) == [0, 1, 2]  # the last layer's stand in the order of their variance
        np.testing.assert_allclose(np.linalg.norm(ours, axis=0), values[counterpart], rtol=1e-4)
    shares = component_chain(cap)[1][-1]
    np.testing.assert_allclose(shares, values[:3] ** 2 / (values**2).sum(), rtol=1e-4)


def test_another_picture_is_compared_with_its_own_patches(vit, pictures):
    model = family(vit, "registers")
    one, two = (vizvit.capture(model, picture) for picture in pictures[:2])
    after, other = streams_of(one)[-1], streams_of(two)[-1]
    query = one.grid.token(0, 1)
    cosines = other @ after[query] / np.linalg.norm(other, axis=1) / np.linalg.norm(after[query])
    found = vizvit.patch_similarity(one, query, other=two)
    assert largest_difference(found.ravel(), cosines[one.grid.num_prefix_tokens :]) < 1e-5
    with pytest.raises(CaptureError, match="Vectors of two models"):
        vizvit.patch_similarity(one, query, other=vizvit.capture(family(vit, "vit"), pictures[0]))


def test_components_of_two_pictures_are_those_of_all_their_patches(vit, pictures):
    model = family(vit, "registers")
    one, two = (vizvit.capture(model, picture) for picture in pictures[:2])
    prefix = one.grid.num_prefix_tokens
    together = np.concatenate([streams_of(cap)[-1, prefix:] for cap in (one, two)])
    left, values, _ = np.linalg.svd(together - together.mean(0), full_matrices=False)
    expected = left[:, :3] * values[:3]
    found = [vizvit.patch_components(a, other=b).reshape(-1, 3) for a, b in ((one, two), (two, one))]
    ours = np.concatenate(found)
    assert largest_difference(ours * np.sign((ours * expected).sum(0)), expected) < 1e-4
    shares = component_chain(one, other=two)[1]
    np.testing.assert_allclose(shares[-1], (values**2 / (values**2).sum())[:3], rtol=1e-4)
    with pytest.raises(CaptureError, match="Vectors of two models"):
        vizvit.patch_components(one, other=vizvit.capture(family(vit, "vit"), pictures[0]))


def test_an_area_is_the_mean_of_its_patches(vit, picture):
    cap = vizvit.capture(family(vit, "vit"), picture)
    each = [vizvit.patch_similarity(cap, ("patch", row, col), 1) for row in (0, 1) for col in (1, 2)]
    np.testing.assert_allclose(vizvit.patch_similarity(cap, None, 1, area=(0, 1, 1, 2)), np.mean(each, 0), atol=1e-6)


def test_components_keep_order_and_signs():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(40, 3))
    scores -= scores.mean(0)
    shuffled = scores[:, [2, 0, 1]] * [-1, 1, -1] + 0.01 * rng.normal(size=(40, 3))
    order, signs = aligned(shuffled, scores)
    assert largest_difference(shuffled[:, order] * signs, scores) < 0.02


def test_colours_go_from_layer_to_layer(vit, picture):
    cap = vizvit.capture(family(vit, "vit"), picture)
    maps, _ = component_chain(cap)
    for before, after in pairwise(maps):
        between = np.corrcoef(before.reshape(-1, 3).T, after.reshape(-1, 3).T)[:3, 3:]
        assert (np.diag(between) >= 0).all()
        assert np.abs(between).trace() >= max(
            sum(abs(between[i, place]) for i, place in enumerate(places)) - 1e-6
            for places in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
        )


def test_two_populations_are_found_and_one_is_not():
    rng = np.random.default_rng(1)
    low, high = rng.normal(50, 4, (20, 1300)), rng.normal(250, 40, (20, 26))
    starts = high_population(np.concatenate([low, high], 1))
    assert ((low.max(1) < starts) & (starts < high.min(1))).all()
    assert np.isnan(high_population(low)).all()
    assert np.isnan(high_population(rng.gamma(3, 10, (20, 1300)))).all()  # skewed, but one
    assert np.isnan(high_population(np.concatenate([high, high, low[:, :20]], 1))).all()  # the smaller one is the low
    assert np.isnan(high_population(np.full(9, 3.0)))
    overlapping = np.concatenate([rng.normal(8.3, 0.4, (20, 830)), rng.normal(10.3, 0.5, (20, 540))], 1)
    assert np.isnan(high_population(overlapping)).all()  # two modes, as of an object and its surroundings
    apart = np.concatenate([rng.normal(8.3, 0.4, (20, 830)), rng.normal(16, 1, (20, 540))], 1)
    starts_apart = high_population(apart)
    assert ((apart[:, :830].max(1) < starts_apart) & (starts_apart < apart[:, 830:].min(1))).all()
    some = np.concatenate([low, high], 1)[:3].copy()
    some[1] = low[0].mean() + rng.normal(0, 1, some.shape[1])
    each = np.array([high_population(row) for row in some])  # whatever rows are fitted beside it
    assert np.array_equal(high_population(some), each, equal_nan=True)
    scaled = high_population(1e6 * np.concatenate([low, high], 1))
    np.testing.assert_allclose(scaled, 1e6 * starts, rtol=1e-6)


def test_where_two_gaussians_are_equally_likely():
    """Against the crossing of the densities that the values were drawn from."""
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(10, 1, 60_000), rng.normal(28, 2, 20_000)])
    at = np.linspace(10, 28, 100_001)
    more = 0.25 / 2 * np.exp(-((at - 28) ** 2) / 8) > 0.75 * np.exp(-((at - 10) ** 2) / 2)
    assert abs(high_population(values) - at[more.argmax()]) < 0.1


def test_artefacts_are_the_patches_that_were_made_long(vit, picture, monkeypatch):
    cap = vizvit.capture(family(vit, "registers"), picture)
    norms = np.array(cap.norms())
    places = [(0, 3), (2, 1)]
    grid = cap.grid
    norms[2, grid.num_prefix_tokens :] = np.random.default_rng(3).normal(20, 1, grid.num_patches)
    norms[2, [grid.token(*place) for place in places]] = 90, 100
    monkeypatch.setattr(type(cap), "norms", lambda self: norms)
    found = vizvit.artefact_tokens(cap, 1)
    assert found.patches == places and 22 < found.threshold < 90
    assert found.share == pytest.approx(2 / grid.num_patches) == artefact_shares([cap])[0, 1]
    assert vizvit.artefact_tokens(cap, -2).patches == places


def test_tokens_that_are_dropped_or_shuffled_keep_their_places(vit, picture):
    changes = vizvit.ShufflePatches(seed=1), vizvit.DropPatches({(0, 0), (2, 3)})
    with vizvit.intervene(family(vit, "vit"), *changes) as changed:
        cap = vizvit.capture(changed, picture)
        norms, prefix = vizvit.token_norms(cap), cap.grid.num_prefix_tokens
        after = cap.tokens(-1)
        assert norms.shape == (cap.num_layers + 1, cap.num_tokens)
        np.testing.assert_allclose(norms[-1], np.linalg.norm(after, axis=-1), rtol=1e-5)
        found, components = vizvit.patch_similarity(cap, "cls"), vizvit.patch_components(cap)
        assert found[0, 0] == found[2, 3] == 0 and not components[0, 0].any()
        query = after[0] / np.linalg.norm(after[0])
        for token, place in enumerate(cap.grid.places, prefix):
            assert abs(found[place] - after[token] @ query / np.linalg.norm(after[token])) < 1e-5


def test_pictures_of_a_batch_have_their_own_norms(vit, pictures):
    model = family(vit, "vit")
    for cap, picture in zip(vizvit.captures(model, pictures), pictures, strict=True):
        assert largest_difference(vizvit.token_norms(cap), vizvit.token_norms(vizvit.capture(model, picture))) < 1e-4


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda cap: vizvit.patch_components(cap, 9), "There is no layer 9"),
        (lambda cap: vizvit.patch_components(cap, n=0), "There are 1 to 12 components of 12 patches; received 0"),
        (lambda cap: vizvit.patch_components(cap, n=1.5), "a whole number; received 1.5"),
        (lambda cap: vizvit.artefact_tokens(cap, -9), "There is no layer -9"),
        (lambda cap: vizvit.patch_similarity(cap, ("patch", 9, 0)), "row 9"),
        (lambda cap: vizvit.patch_similarity(cap, 3, 5), "no layer 5"),
    ],
)
def test_what_there_is_not_is_said(vit, picture, call, words):
    with pytest.raises(CaptureError, match=words):
        call(vizvit.capture(family(vit, "vit"), picture))


def test_features_command_writes_what_the_library_finds(tmp_path, monkeypatch, picture):
    picture.save(tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)
    assert main(["features", "cat.png", "--layer", "2", "--query", "3,4"]) == 0
    parts = ("similarity", "components", "by-layer", "norms")
    assert all((tmp_path / f"vizvit-out/cat-features-{part}.png").stat().st_size > 5000 for part in parts)
    cap = vizvit.capture(vizvit.load_model("vizvit-tiny", device="cpu"), vizvit.load_image("cat.png"))
    with np.load("vizvit-out/cat-features.npz") as found:
        np.testing.assert_array_equal(found["similarity"], vizvit.patch_similarity(cap, ("patch", 3, 4), 2))
        np.testing.assert_array_equal(found["components"][2], vizvit.patch_components(cap, 2))
        np.testing.assert_array_equal(found["norms"], vizvit.token_norms(cap))
        np.testing.assert_array_equal(found["artefacts"], vizvit.artefact_tokens(cap, 2).mask)
        np.testing.assert_array_equal(found["artefact_share"], artefact_shares([cap])[0])
        assert found["shares"].shape == (cap.num_layers, 3)
