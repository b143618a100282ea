"""The exact pixels that a model sees, as a caller may give them."""

from __future__ import annotations

import numpy as np

from ..errors import CaptureError
from ..model.vit import VitModel


def checked_view(vit: VitModel, view: np.ndarray) -> np.ndarray:
    """The view as an array; CaptureError for another shape or type than the model's."""
    view, (height, width) = np.asarray(view), vit.grid.image_size
    if view.dtype != np.uint8 or view.shape != (height, width, 3):
        raise CaptureError(
            f"Got pixels of shape {list(view.shape)} and type {view.dtype}, but uint8 [{height}, {width}, 3] was "
            f"expected: what {vit.name} sees. VitModel.view(image) makes them of any picture."
        )
    return view
