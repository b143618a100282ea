"""Long pictures are seen as timm's own transform shows them, without the giant that it makes on the way."""

from __future__ import annotations

import resource

import numpy as np
import pytest
import timm
from PIL import Image
from torchvision import transforms

import vizvit
from vizvit.model import resizing

FILTERS = ("bilinear", "bicubic", "lanczos")


def steps(interpolation: str, crop_pct: float = 0.9, size: int = 64) -> list:
    made = timm.data.create_transform((3, size, size), interpolation=interpolation, crop_pct=crop_pct).transforms
    return [step for step in made if isinstance(step, (transforms.Resize, transforms.CenterCrop))]


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("size", [(9, 700), (700, 9), (3, 500), (200, 333), (150, 4000), (97, 61)])
def test_the_same_pixels(interpolation, size, monkeypatch):
    # Not to the ends of the scale: Pillow clips between its two passes, whose order it chooses by the sizes.
    noise = np.random.default_rng(0).integers(100, 156, (size[1], size[0], 3), np.uint8)
    picture = Image.fromarray(noise)
    expected = picture
    for step in steps(interpolation):
        expected = step(expected)
    monkeypatch.setattr(resizing, "MOST_PIXELS", 0)
    found = resizing.seen(picture, steps(interpolation))
    apart = np.abs(np.asarray(found, int) - np.asarray(expected, int))
    assert found.size == expected.size
    assert apart.max() <= 2
    assert apart.mean() < 0.5


def test_ordinary_pictures_take_the_ordinary_way(picture, monkeypatch):
    monkeypatch.setattr(resizing, "_resized_middle", lambda *_: pytest.fail("not for this picture"))
    assert resizing.seen(picture, steps("bicubic")).size == (64, 64)


@pytest.mark.parametrize("size", [(1, 5000), (1, 65000), (65000, 1), (5000, 1)])
def test_a_line_of_pixels_is_seen_and_takes_no_memory(size):
    vit = vizvit.load_model("vit_tiny_patch16_224", weights="random", device="cpu")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert vit.view(Image.new("RGB", size, "teal")).tolist()[100][100] == [0, 128, 128]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KB
