"""The pointing game: whether a map's maximum lies in the object's box."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..grid import PatchGrid
from ..model.vit import VitModel

LARGEST = 0.5  # objects that fill more of the picture are no test: nearly everything points at them


def box_mask(vit: VitModel, size: tuple[int, int], boxes: np.ndarray) -> np.ndarray | None:
    """The pixels of the view that lie in a box, bool [H, W]: boxes go the picture's way through resizing and cropping.

    size: width and height of the original; boxes: [n, (x0, y0, x1, y1)] in its pixels, both ends inclusive.
    """
    width, height = size
    drawn = np.zeros((height, width), np.uint8)
    most = (width, height, width - 1, height - 1)
    for x0, y0, x1, y1 in np.rint(np.clip(boxes, 0, most)).astype(int):
        drawn[y0 : y1 + 1, x0 : x1 + 1] = 255
    if (drawn > 0).mean() >= LARGEST:
        return None
    inside = vit.view(Image.fromarray(drawn))[:, :, 0] > 127
    return inside if inside.any() else None


def points_inside(heat: np.ndarray, inside: np.ndarray, grid: PatchGrid) -> float:
    """The pointing game (Zhang et al., "Top-Down Neural Attention by Excitation Backprop", ECCV 2016): 1 for a hit.

    A hit: the centre of the map's greatest patch lies inside. Where several patches are the greatest, the share of
    them that hit: what choosing one of them at random would give on average.
    """
    return float(patch_centres(inside, grid)[heat == heat.max()].mean())


def patch_centres(inside: np.ndarray, grid: PatchGrid) -> np.ndarray:
    """Whether each patch's centre lies inside, bool [rows, cols]."""
    half = grid.patch_size // 2
    return inside[half :: grid.patch_size, half :: grid.patch_size][: grid.rows, : grid.cols]
