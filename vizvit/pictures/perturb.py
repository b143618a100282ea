"""What happens to attention when the picture changes: a view mirrored, cut out, or covered in part.

A view is the model's own input before normalisation, uint8 [H, W, 3], as `VitModel.view` gives it; what comes back
has the same shape, so that `capture_view` takes it. Boxes are (left, top, right, bottom) as shares of the view, 0 to 1;
patches are (row, col) in the model's grid.
"""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np

from ..errors import ImageError

Box = tuple[float, float, float, float]
Patch = tuple[int, int]  # (row, col)


def flip(view: np.ndarray) -> np.ndarray:
    """The view with left and right exchanged."""
    return np.ascontiguousarray(_checked(view)[:, ::-1])


def crop(view: np.ndarray, box: Box) -> np.ndarray:
    """A box of the view, enlarged to the whole view's size; cubic interpolation, whole pixels cut out.

    Raises ImageError for another kind of view, or a box that is out of order or outside 0..1.
    """
    left, top, right, bottom = pixels(view, box)
    height, width = view.shape[:2]
    return cv2.resize(view[top:bottom, left:right], (width, height), interpolation=cv2.INTER_CUBIC)


def occlude(view: np.ndarray, box: Box) -> np.ndarray:
    """The view with a box filled by the whole view's mean colour. Errors as in `crop`."""
    left, top, right, bottom = pixels(view, box)
    covered = view.copy()
    covered[top:bottom, left:right] = np.rint(view.mean((0, 1)))
    return covered


def grey(view: np.ndarray, patches: Collection[Patch], patch_size: int) -> np.ndarray:
    """The view with patches, as (row, col), filled with mid-grey, 128 in each channel.

    Raises ImageError for another kind of view, or a patch that is not in it.
    """
    covered = _checked(view).copy()
    covered[_under(view, patches, patch_size)] = 128
    return covered


def blur(view: np.ndarray, patches: Collection[Patch], patch_size: int) -> np.ndarray:
    """The view with patches blurred: a Gaussian of half a patch's standard deviation, in which their surroundings show.

    Errors as in `grey`.
    """
    covered = _checked(view).copy()
    under = _under(view, patches, patch_size)
    covered[under] = cv2.GaussianBlur(covered, (0, 0), patch_size / 2, borderType=cv2.BORDER_REFLECT)[under]
    return covered


def _under(view: np.ndarray, patches: Collection[Patch], patch_size: int) -> np.ndarray:
    """bool [H, W]: the pixels that patches cover."""
    rows, cols = (side // patch_size for side in view.shape[:2])
    under = np.zeros(view.shape[:2], bool)
    for row, col in patches:
        if not (0 <= row < rows and 0 <= col < cols):
            raise ImageError(
                f"There is no patch at row {row}, column {col}: the view has rows 0 to {rows - 1} and columns 0 to "
                f"{cols - 1} of {patch_size} pixels."
            )
        under[row * patch_size : (row + 1) * patch_size, col * patch_size : (col + 1) * patch_size] = True
    return under


def pixels(view: np.ndarray, box: Box) -> tuple[int, int, int, int]:
    """A box in whole pixels, at least one each way: (left, top, right, bottom), right and bottom exclusive."""
    height, width = _checked(view).shape[:2]
    try:
        left, top, right, bottom = (float(edge) for edge in box)
    except (TypeError, ValueError):
        raise ImageError(f"A box is (left, top, right, bottom) in 0..1; received {box!r}.") from None
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ImageError(
            f"The box {(left, top, right, bottom)} is not in the picture: (left, top, right, bottom) with "
            f"0 <= left < right <= 1 and 0 <= top < bottom <= 1 was expected."
        )
    first = min(round(left * width), width - 1), min(round(top * height), height - 1)
    return *first, max(round(right * width), first[0] + 1), max(round(bottom * height), first[1] + 1)


def _checked(view: np.ndarray) -> np.ndarray:
    view = np.asarray(view)
    if view.dtype != np.uint8 or view.ndim != 3 or view.shape[2] != 3 or not view.size:
        raise ImageError(
            f"Got an array of shape {list(view.shape)} and type {view.dtype}, but uint8 [H, W, 3] was expected: "
            "what VitModel.view returns."
        )
    return view
