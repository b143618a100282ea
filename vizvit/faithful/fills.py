"""What stands where a patch is taken away."""

from __future__ import annotations

import cv2
import numpy as np

from ..errors import ImageError

FILLS = ("blur", "mean", "black")


def filled(view: np.ndarray, fill: str, patch_size: int) -> np.ndarray:
    """The whole view taken away, uint8 [H, W, 3].

    fill: "blur", a Gaussian whose standard deviation is one patch, so that what is smaller than a patch is gone;
        "mean", the view's mean colour; "black".
    """
    if fill == "blur":
        return cv2.GaussianBlur(view, (0, 0), patch_size, borderType=cv2.BORDER_REFLECT)
    if fill == "mean":
        return np.broadcast_to(np.rint(view.mean((0, 1))).astype(np.uint8), view.shape)
    if fill == "black":
        return np.zeros_like(view)
    raise ImageError(f'Patches are filled with one of {", ".join(FILLS)}; received "{fill}".')
