"""How much of a picture a model sees, and the input that would show it more."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from ..grid import PatchGrid
from .vit import VitModel

Box = tuple[float, float, float, float]  # (left, top, right, bottom) as shares of a picture
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
LONGEST = 4.0  # of a rectangle: its longer side to the shorter one
AREA = 0.25  # what as many patches as before count against the picture's shape


def seen_of(vit: VitModel, size: tuple[int, int]) -> Box:
    """What part of a picture of (width, height) pixels a model sees, read off the view of a ramp in each direction."""
    scale = min(1, 1024 / max(size))
    width, height = (max(2, round(side * scale)) for side in size)
    across, down = (np.rint((np.arange(side) + 0.5) * 255 / side).astype(np.uint8) for side in (width, height))
    ramps = np.broadcast_to(across, (height, width)), np.broadcast_to(down[:, None], (height, width))
    views = [vit.view(Image.fromarray(np.ascontiguousarray(ramp)))[..., 0] / 255.0 for ramp in ramps]
    edges = []
    for values in (views[0].mean(0), views[1].mean(1)):
        at = (np.arange(len(values)) + 0.5) / len(values)
        inner = (at > 0.1) & (at < 0.9) if len(at) > 8 else slice(None)  # resizing bends a ramp at its ends
        slope, start = np.polyfit(at[inner], values[inner], 1)
        edges.append((start, start + slope))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def rectangle(grid: PatchGrid, size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) in pixels of about as many patches as a grid has, in the shape of a picture of (width, height).

    No side is more than four times the other.
    """
    patches, ratio = grid.rows * grid.cols, min(max(size[0] / size[1], 1 / LONGEST), LONGEST)

    def misfit(shape: tuple[int, int]) -> float:
        rows, cols = shape
        return abs(math.log(cols / rows / ratio)) + AREA * abs(math.log(rows * cols / patches))

    middle = math.sqrt(patches / ratio)
    near = range(max(1, math.floor(0.85 * middle)), math.ceil(1.15 * middle) + 1)
    rows, cols = min(((rows, max(1, round(rows * ratio))) for rows in near), key=misfit)
    return rows * grid.patch_size, cols * grid.patch_size
