"""A capture of what the caller's own transform gives: any number of channels, any normalisation."""

from __future__ import annotations

import numpy as np
import torch

from ..model.given import checked_model
from ..model.pixels import checked_tensor, rendition
from ..model.vit import VitModel
from .capture import Capture, capture_input


def capture_tensor(vit: VitModel, pixels: torch.Tensor | np.ndarray, *, target: int | str | None = None) -> Capture:
    """`capture` of the model's own input.

    pixels: float [C, H, W] or [1, C, H, W], normalised by the caller's own transform, of the size and the channels that
        the model reads; left as it is.
    `cap.view`, which figures show, is the picture itself where the model's own normalisation leads back to one.
    Otherwise it is a rendition, and `cap.rendition` says so: each channel from its 0.5th to its 99.5th percentile;
    three channels as red, green and blue, others as the grey of their mean.
    Raises CaptureError for another shape, several pictures, whole numbers and numbers that are not finite.
    """
    checked_model(vit)
    index = None if target is None else vit.class_index(target)
    checked = checked_tensor(pixels, (vit.channels, *vit.input_size), vit.name)
    view, exact = rendition(checked, vit.mean, vit.std)
    height, width = vit.grid.image_size
    given = checked.to(device=vit.device, dtype=vit.dtype, copy=True)
    cap = capture_input(vit, np.ascontiguousarray(view[:height, :width]), given, target=index)
    cap._pixels, cap.rendition = given.detach(), not exact
    return cap
