"""The steps from a picture to what a model sees, without ever holding much more than that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import timm
from PIL import Image
from timm.data.transforms import ResizeKeepRatio
from torchvision import transforms

# A picture that is resized to more pixels than this on the way to its crop is resized around the crop alone.
MOST_PIXELS = 16_000_000
REACH = 3  # of the widest filter, Lanczos: pixels of the coarser of both grids


def evaluation_steps(config: dict[str, Any]) -> tuple[Any, ...]:
    """timm's steps of an evaluation up to where a picture becomes numbers. config: as timm resolves it."""
    steps = timm.data.create_transform(**config, is_training=False).transforms
    return tuple(takewhile(lambda step: "Tensor" not in type(step).__name__, steps))


def seen(picture: Image.Image, steps: Sequence[Any]) -> Image.Image:
    """What the steps (torchvision's, as timm's evaluation has them) make of an RGB picture.

    They are taken as they are, unless the picture is so long that resizing its short side would make a giant of it, of
    which the next step crops the middle: then only that is made, with the same pixels, but for what Pillow rounds
    and clips between its two passes.
    """
    steps = list(steps)
    while steps:
        step = steps.pop(0)
        crop = steps[0] if steps and isinstance(steps[0], transforms.CenterCrop) else None
        size = _short_side(picture, step)
        if size and crop is not None and size[0] * size[1] > MOST_PIXELS:
            steps.pop(0)
            picture = _resized_middle(picture, size, crop.size, step.interpolation)
        else:
            picture = step(picture)
    return picture


def filled(steps: Sequence[Any], size: tuple[int, int]) -> tuple[Any, ...]:
    """The steps of an evaluation, less what it cuts off beyond the input's shape. size: (height, width)."""
    ways = [step.interpolation.value for step in steps if hasattr(step, "interpolation")]
    return ResizeKeepRatio(size, interpolation=(*ways, "bicubic")[0]), transforms.CenterCrop(size)


def _short_side(picture: Image.Image, step: Any) -> tuple[int, int] | None:
    """(width, height) that a step resizes to which keeps the picture's shape; None for any other step."""
    if type(step) is not transforms.Resize or step.max_size is not None:
        return None
    side = step.size if isinstance(step.size, int) else step.size[0] if len(step.size) == 1 else None
    if side is None:
        return None
    width, height = picture.size
    return (side, int(side * height / width)) if width <= height else (int(side * width / height), side)


def _resized_middle(
    picture: Image.Image, size: tuple[int, int], crop: Sequence[int], interpolation: transforms.InterpolationMode
) -> Image.Image:
    """size: (width, height) of the whole; crop: (height, width) of its middle."""
    box, inside, out = [], [], []
    for whole, wanted, given in zip(size, reversed(crop), picture.size, strict=True):
        start = round((whole - wanted) / 2)
        margin = math.ceil(REACH * max(1, whole / given)) + 1
        low, high = max(0, min(start, 0) if start < 0 else start - margin), min(whole, max(start, 0) + wanted + margin)
        box.append((low * given / whole, high * given / whole))
        inside.append(start - low)
        out.append(high - low)
    (left, right), (top, bottom) = box
    resample = {
        transforms.InterpolationMode.NEAREST: Image.Resampling.NEAREST,
        transforms.InterpolationMode.BILINEAR: Image.Resampling.BILINEAR,
        transforms.InterpolationMode.BICUBIC: Image.Resampling.BICUBIC,
        transforms.InterpolationMode.LANCZOS: Image.Resampling.LANCZOS,
        transforms.InterpolationMode.BOX: Image.Resampling.BOX,
        transforms.InterpolationMode.HAMMING: Image.Resampling.HAMMING,
    }[interpolation]
    part = picture.resize((out[0], out[1]), resample, box=(left, top, right, bottom))
    height, width = crop
    return part.crop((inside[0], inside[1], inside[0] + width, inside[1] + height))
