"""Changed views: their pixels, and captures of them."""

from __future__ import annotations

import numpy as np
import pytest

import vizvit
from vizvit.pictures import perturb

VIEW = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)
SMALL = ("vit_tiny_patch16_224", {"image_size": (48, 80), "depth": 2, "num_classes": 10})


def test_flip_exchanges_left_and_right():
    flipped = perturb.flip(VIEW)
    assert flipped.flags.c_contiguous
    np.testing.assert_array_equal(flipped[:, 0], VIEW[:, -1])
    np.testing.assert_array_equal(perturb.flip(flipped), VIEW)


def test_crop_enlarges_the_box():
    np.testing.assert_array_equal(perturb.crop(VIEW, (0, 0, 1, 1)), VIEW)
    left = np.zeros((40, 40, 3), np.uint8)
    left[10:20, 20:30] = 200
    shown = perturb.crop(left, (0.5, 0.25, 0.75, 0.5))
    assert shown.shape == left.shape and (shown == 200).all()
    half = perturb.crop(left, (0.25, 0.25, 0.75, 0.5))
    assert (half[:, :16] < 60).all() and (half[:, 24:] > 140).all()


def test_occlude_fills_the_box_with_the_mean_colour():
    covered = perturb.occlude(VIEW, (0.2, 1 / 3, 0.6, 2 / 3))
    inside = np.zeros(VIEW.shape[:2], bool)
    inside[16:32, 16:48] = True
    assert (covered[inside] == np.rint(VIEW.reshape(-1, 3).mean(0))).all()
    np.testing.assert_array_equal(covered[~inside], VIEW[~inside])
    assert (covered[inside] != VIEW[inside]).any(), "the view given is not changed"


@pytest.mark.parametrize("change", [perturb.crop, perturb.occlude])
def test_the_least_box_is_a_pixel(change):
    assert change(VIEW, (1 - 1e-9, 1 - 1e-9, 1, 1)).shape == VIEW.shape
    assert change(VIEW, (0, 0, 1e-9, 1e-9)).shape == VIEW.shape
    assert perturb.pixels(VIEW, (0, 0, 1e-9, 1e-9)) == (0, 0, 1, 1)


@pytest.mark.parametrize("change", [perturb.crop, perturb.occlude])
@pytest.mark.parametrize(
    "box", [(0.5, 0, 0.5, 1), (0.6, 0, 0.5, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0, 0, 1), None, (0, 0, np.nan, 1)]
)
def test_boxes_outside_are_refused(change, box):
    with pytest.raises(vizvit.ImageError, match="left, top, right, bottom"):
        change(VIEW, box)


@pytest.mark.parametrize("change", [perturb.grey, perturb.blur])
def test_patches_are_masked_and_nothing_else(change):
    patches = {(0, 0), (2, 4)}
    masked = change(VIEW, patches, 16)
    inside = np.zeros(VIEW.shape[:2], bool)
    inside[:16, :16] = inside[32:, 64:] = True
    np.testing.assert_array_equal(masked[~inside], VIEW[~inside])
    assert (masked[inside] != VIEW[inside]).any()
    np.testing.assert_array_equal(change(VIEW, (), 16), VIEW)


def test_what_masked_patches_hold():
    assert (perturb.grey(VIEW, {(1, 1)}, 16)[16:32, 16:32] == 128).all()
    noise, blurred = VIEW[16:32, 16:32].std(), perturb.blur(VIEW, {(1, 1)}, 16)[16:32, 16:32]
    assert blurred.std() < noise / 4 and abs(blurred.mean() - VIEW.mean()) < 20
    plain = np.full_like(VIEW, 77)
    np.testing.assert_array_equal(perturb.blur(plain, {(0, 0)}, 16), plain)


@pytest.mark.parametrize("patch", [(3, 0), (0, 5), (-1, 0)])
def test_patches_outside_are_refused(patch):
    for change in (perturb.grey, perturb.blur):
        with pytest.raises(vizvit.ImageError, match="rows 0 to 2 and columns 0 to 4"):
            change(VIEW, {patch}, 16)


@pytest.mark.parametrize("view", [VIEW[..., 0], VIEW / 255, VIEW[:0]])
def test_other_arrays_are_refused(view):
    changes = (perturb.flip, lambda view: perturb.crop(view, (0, 0, 1, 1)), lambda view: perturb.grey(view, (), 16))
    for change in changes:
        with pytest.raises(vizvit.ImageError, match="uint8"):
            change(view)


def test_capture_view_takes_the_pixels_as_they_are(vit, picture):
    model = vit(SMALL[0], **SMALL[1])
    cap = vizvit.capture(model, picture)
    same = vizvit.capture_view(model, cap.view)
    np.testing.assert_array_equal(same.view, cap.view)
    np.testing.assert_array_equal(same.logits, cap.logits)
    np.testing.assert_array_equal(same.attention(1), cap.attention(1))

    flipped = vizvit.capture_view(model, perturb.flip(cap.view), target=3)
    np.testing.assert_array_equal(flipped.view, cap.view[:, ::-1])
    assert flipped.has_gradients and flipped.target == 3
    assert np.abs(flipped.logits - cap.logits).max() > 1e-4


@pytest.mark.parametrize("view", [VIEW[:, :48], VIEW / 255, VIEW[..., 0]])
def test_capture_view_refuses_another_shape(vit, view):
    with pytest.raises(vizvit.CaptureError, match=r"uint8 \[48, 80, 3\] was expected"):
        vizvit.capture_view(vit(SMALL[0], **SMALL[1]), view)
