"""Deletion and insertion against pictures made one by one, and against models whose curves are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

import vizvit
from vizvit.faithful import FILLS, filled, patch_order, without_order
from vizvit.grid import PatchGrid
from vizvit.model.vit import VitModel

MODELS = [
    ("vit_tiny_patch16_224", {"image_size": (48, 80), "depth": 3}),
    ("vit_base_patch16_siglip_224", {"image_size": 64, "depth": 2, "heads": 3, "num_classes": 10}),
    ("vit_small_patch14_reg4_dinov2", {"image_size": (42, 70), "depth": 2, "num_classes": 10}),
]


@pytest.fixture(scope="module", params=MODELS, ids=[name for name, _ in MODELS])
def model(request, vit):
    name, options = request.param
    return vit(name, **options)


@pytest.fixture(scope="module")
def plain(vit):
    return vit(MODELS[0][0], **MODELS[0][1])


@pytest.fixture(scope="module")
def shipped():
    return vizvit.load_model("vizvit-tiny", device="cpu")


class Watcher(torch.nn.Module):
    """Sees a picture as its patches' brightness: class 1 shines where `patch` does. Keeps what it was shown."""

    def __init__(self, patch: tuple[int, int], size: int):
        super().__init__()
        self.patch, self.size, self.batches = patch, size, []

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(pixels))
        row, col = (place * self.size for place in self.patch)
        shine = pixels[:, :, row : row + self.size, col : col + self.size].mean((1, 2, 3))
        return torch.stack([torch.zeros_like(shine), 20 * shine], dim=1)


def watching(patch: tuple[int, int] = (1, 2), rows: int = 3, cols: int = 4, size: int = 5) -> VitModel:
    return VitModel(
        name="watcher",
        architecture="watcher",
        module=Watcher(patch, size),
        labels=("dark", "bright"),
        grid=PatchGrid(rows, cols, size),
        trained=True,
        weights="by hand",
        input_size=(rows * size, cols * size),
    )


def one_by_one(model, view, heat, target, fill, counts) -> tuple[list[float], list[float]]:
    """Each picture as uint8 pixels of its own, filled patch by patch."""
    ranked = sorted(np.ndindex(*heat.shape), key=lambda patch: -heat[patch])
    empty = filled(view, fill, model.grid.patch_size)
    curves = []
    for whole, other in ((view, empty), (empty, view)):
        values = []
        for count in counts:
            picture = np.array(whole)
            for patch in ranked[:count]:
                left, top, right, bottom = model.grid.box(*patch)
                picture[top:bottom, left:right] = other[top:bottom, left:right]
            with torch.no_grad():
                values.append(float(model.module(model.normalise(picture))[0].softmax(-1)[target]))
        curves.append(values)
    return tuple(curves)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("steps", [None, 4])
def test_curves_are_those_of_single_pictures(model, picture, fill, steps):
    view = model.view(picture)
    heat = np.random.default_rng(3).normal(size=(model.grid.rows, model.grid.cols))
    patches = heat.size
    counts = range(patches + 1) if steps is None else [round(patches * i / steps) for i in range(steps + 1)]
    expected = one_by_one(model, view, heat, 5, fill, counts)
    found = vizvit.faithfulness(model, view, heat, target=5, steps=steps, fill=fill, batch=7)
    np.testing.assert_allclose(found.fractions, np.array(list(counts)) / patches, rtol=1e-6)
    np.testing.assert_allclose(found.deletion, expected[0], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.insertion, expected[1], rtol=1e-3, atol=1e-6)
    assert found.deletion.dtype == found.insertion.dtype == found.fractions.dtype == np.float32
    widths = np.diff(found.fractions)
    area = float((widths * (found.deletion[1:] + found.deletion[:-1]) / 2).sum())
    assert found.deletion_area == pytest.approx(area, rel=1e-5)
    assert (found.target, found.fill) == (5, fill)


def test_a_model_that_looks_at_one_patch():
    """The class falls with that patch and comes with it, wherever in the order the patch stands."""
    model = watching()
    view = np.full((15, 20, 3), 255, np.uint8)
    for place in (0, 5, 11):
        heat = -np.arange(12.0)
        heat[[place, 6]] = heat[[6, place]]  # patch (1, 2), number 6, is taken as number `place`
        curves = vizvit.faithfulness(model, view, heat.reshape(3, 4), fill="black")
        assert curves.target == 1
        assert (curves.deletion[: place + 1] > 0.99).all() and (curves.deletion[place + 1 :] < 0.01).all()
        assert (curves.insertion[: place + 1] < 0.01).all() and (curves.insertion[place + 1 :] > 0.99).all()
        assert curves.deletion_area == pytest.approx((place + 0.5) / 12, abs=1e-3)
        assert curves.insertion_area == pytest.approx(1 - (place + 0.5) / 12, abs=1e-3)


@pytest.mark.parametrize("batch", [1, 5, 24, 100])
def test_pictures_are_made_batch_by_batch(batch):
    model = watching()
    view = np.random.default_rng(0).integers(0, 256, (15, 20, 3), dtype=np.uint8)
    heat = np.random.default_rng(1).random((3, 4))
    expected = vizvit.faithfulness(watching(), view, heat, target=1)
    seen: list[tuple[int, int]] = []
    found = vizvit.faithfulness(model, view, heat, target=1, batch=batch, on_progress=lambda *state: seen.append(state))
    np.testing.assert_allclose(found.deletion, expected.deletion, rtol=1e-6)
    assert max(model.module.batches) <= batch and sum(model.module.batches) == 24  # 2 x 12 steps
    assert seen == [(min(done, 24), 24) for done in range(batch, 24 + batch, batch)]


def test_progress_may_cancel():
    class Cancelled(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done >= 8:
            raise Cancelled

    model = watching()
    view = np.zeros((15, 20, 3), np.uint8)
    with pytest.raises(Cancelled):
        vizvit.faithfulness(model, view, np.zeros((3, 4)), target=1, batch=4, on_progress=stop)
    assert model.module.batches == [4, 4]


def test_many_maps_are_each_as_alone(model, pictures):
    views = [model.view(picture) for picture in pictures]
    views = [views[0], views[0], views[1], views[2]]
    rng = np.random.default_rng(0)
    heats = [rng.random((model.grid.rows, model.grid.cols)) for _ in views]
    targets = [0, 3, 3, 9]
    for batch in (4, 64):
        found = vizvit.faithfulness_many(model, views, heats, targets, steps=5, batch=batch)
        for curves, view, heat, target in zip(found, views, heats, targets, strict=True):
            alone = vizvit.faithfulness(model, view, heat, target=target, steps=5)
            np.testing.assert_allclose(curves.deletion, alone.deletion, rtol=1e-3)
            np.testing.assert_allclose(curves.insertion, alone.insertion, rtol=1e-3)
            assert curves.target == target
    assert vizvit.faithfulness_many(model, [], [], []) == []


def test_fills():
    view = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    view[:, :24] //= 2
    before = view.copy()
    assert not filled(view, "black", 8).any()
    np.testing.assert_array_equal(filled(view, "mean", 8), np.broadcast_to(np.rint(view.mean((0, 1))), view.shape))
    blurred = filled(view, "blur", 8)
    np.testing.assert_array_equal(blurred, cv2.GaussianBlur(view, (0, 0), 8, borderType=cv2.BORDER_REFLECT))
    assert blurred[:, :8].mean() < blurred[:, -8:].mean() - 20  # the large is still there, the small is gone
    assert blurred[:, :8].std() < view[:, :8].std() / 3
    np.testing.assert_array_equal(view, before)


def test_order_and_its_ties():
    heat = np.array([[0.0, 2.0, 1.0], [1.0, 1.0, -3.0]])
    order = patch_order(heat)
    assert order[0] == 1 and order[-2:].tolist() == [0, 5] and sorted(order[1:4]) == [2, 3, 4]
    flat = [patch_order(np.ones((4, 5)), seed=seed).tolist() for seed in range(6)]
    assert all(sorted(order) == list(range(20)) for order in flat)
    assert len(set(map(tuple, flat))) == 6 and list(range(20)) not in flat
    assert flat[0] == patch_order(np.zeros((4, 5))).tolist()  # the seed alone decides


def test_patches_without_an_order_are_counted():
    assert without_order(np.arange(6.0).reshape(2, 3)) == 0
    assert without_order(np.array([[0.0, 0.0, 3.0], [1.0, 1.0, 0.0]])) == 5
    assert without_order(np.zeros((3, 4))) == 12


def test_the_predicted_class_is_followed(plain, picture):
    view = plain.view(picture)
    curves = vizvit.faithfulness(plain, view, np.eye(3, 5), steps=2)
    cap = vizvit.capture(plain, picture)
    assert curves.target == cap.logits.argmax()
    assert curves.deletion[0] == pytest.approx(cap.probabilities[curves.target], rel=1e-4)
    assert curves.deletion[0] == curves.insertion[-1] and curves.deletion[-1] == curves.insertion[0]
    assert vizvit.random_curves(plain, view, seeds=1, steps=2).target == curves.target
    named = replace(plain, labels=tuple(f"animal {i}" for i in range(1000)))
    assert vizvit.faithfulness(named, view, np.eye(3, 5), steps=2, target="Animal 7").target == 7


def test_random_orders():
    model = watching()
    view = np.full((15, 20, 3), 255, np.uint8)
    found = vizvit.random_curves(model, view, seeds=40, fill="black", batch=50)
    assert found.deletion.shape == found.insertion.shape == (40, 13)
    # The one patch that counts is anywhere with the same probability: the area is uniform over (place + ½) / 12.
    assert found.deletion_area == pytest.approx(0.5, abs=0.15)
    assert found.deletion_area_spread == pytest.approx(np.sqrt((12**2 - 1) / 12) / 12, abs=0.07)
    np.testing.assert_allclose(found.deletion_areas + found.insertion_areas, 1, atol=1e-5)
    again = vizvit.random_curves(watching(), view, seeds=2, fill="black")
    np.testing.assert_allclose(again.deletion, found.deletion[:2])
    single = vizvit.random_curves(model, view, seeds=1, fill="black")
    assert single.deletion_area_spread == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "1 to 15 steps"),
        ({"steps": 16}, "1 to 15 steps"),
        ({"batch": 0}, "whole number from 1"),
        ({"fill": "white"}, "blur, mean, black"),
        ({"target": 1000}, "classes 0 to 999"),
        ({"heat": np.zeros((5, 3))}, "3x5 patches"),
        ({"heat": np.full((3, 5), np.nan)}, "NaN or infinite"),
        ({"view": np.zeros((48, 48, 3), np.uint8)}, "48, 80, 3"),
    ],
)
def test_refusals(plain, picture, options, words):
    work = {"view": plain.view(picture), "heat": np.zeros((3, 5))} | options
    with pytest.raises(ValueError, match=words):
        vizvit.faithfulness(plain, work.pop("view"), work.pop("heat"), **work)


def test_refusals_of_other_kinds(plain, picture):
    view = plain.view(picture)
    with pytest.raises(vizvit.ModelError, match="no classifier"):
        vizvit.faithfulness(replace(plain, labels=()), view, np.zeros((3, 5)))
    with pytest.raises(vizvit.CaptureError, match="1 views, 2 maps and 1 targets"):
        vizvit.faithfulness_many(plain, [view], [np.zeros((3, 5))] * 2, [1])
    with pytest.raises(vizvit.CaptureError, match="seeds"):
        vizvit.random_curves(plain, view, seeds=0)
    with pytest.raises(vizvit.CaptureError, match="0 to 3 blocks"):
        vizvit.weight_randomisation(plain, view, "rollout", layers=[4])
    with pytest.raises(vizvit.CaptureError, match="Choose one of"):
        vizvit.weight_randomisation(plain, view, "saliency")


# --- randomised weights


@pytest.mark.parametrize("method", ["rollout", "relevance", "integrated_gradients"])
def test_weight_randomisation(shipped, picture, method):
    view = shipped.view(picture)
    weights = {name: value.clone() for name, value in shipped.module.state_dict().items()}
    seen: list[tuple[int, int]] = []
    options = {"steps": 2} if method == "integrated_gradients" else {}
    found = vizvit.weight_randomisation(shipped, view, method, on_progress=lambda *at: seen.append(at), **options)
    blocks = list(range(shipped.num_layers + 1))
    assert found.blocks.tolist() == blocks and seen == [(i + 1, len(blocks) + 1) for i in range(len(blocks) + 1)]
    np.testing.assert_array_equal(found.original, vizvit.explain(shipped, view, method, **options))
    for blocks, heat, correlation in zip(found.blocks, found.maps, found.correlation, strict=True):
        with vizvit.intervene(shipped, vizvit.RandomWeights(int(blocks))) as changed:
            target = found.target if found.target is not None else 0
            np.testing.assert_array_equal(heat, vizvit.explain(changed, view, method, target=target, **options))
        assert correlation == pytest.approx(spearmanr(heat, found.original, axis=None).statistic, abs=1e-6)
    assert abs(found.correlation[-1]) < 0.7
    assert all(torch.equal(weights[name], value) for name, value in shipped.module.state_dict().items())
    if method == "rollout":  # which does not ask the classifier
        assert found.correlation[0] == pytest.approx(1) and found.target is None
    else:
        assert found.correlation[0] < 0.9 and found.target == vizvit.capture(shipped, picture).logits.argmax()


def test_weight_randomisation_of_some_blocks(shipped, picture):
    view, grid = shipped.view(picture), shipped.grid
    found = vizvit.weight_randomisation(shipped, view, "relevance", layers=[3, 1], target=17, seed=2)
    assert found.blocks.tolist() == [3, 1] and found.target == 17 and found.maps.shape == (2, grid.rows, grid.cols)
    other = vizvit.weight_randomisation(shipped, view, "relevance", layers=[3], target=17, seed=3)
    assert not np.array_equal(found.maps[0], other.maps[0])
    constant = vizvit.weight_randomisation(shipped, view, "centre", layers=[2])
    assert constant.correlation[0] == pytest.approx(1)


def test_integrated_gradients_tell_of_each_batch_and_may_be_left(shipped, picture):
    view, seen = shipped.view(picture), []
    how = {"steps": 8, "batch": 3}
    found = vizvit.explain(shipped, view, "integrated_gradients", on_progress=lambda *at: seen.append(at), **how)
    assert seen == [(0, 8), (3, 8), (6, 8)]
    np.testing.assert_array_equal(found, vizvit.explain(shipped, view, "integrated_gradients", **how))

    def leave(done: int, total: int) -> None:
        if done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        vizvit.explain(shipped, view, "integrated_gradients", on_progress=leave, **how)


def test_a_model_without_classes_starts_at_its_blocks(shipped, picture):
    """Its head is no classifier."""
    view = shipped.view(picture)
    found = vizvit.weight_randomisation(replace(shipped, labels=()), view, "attention")
    assert found.blocks.tolist() == list(range(1, shipped.num_layers + 1))
