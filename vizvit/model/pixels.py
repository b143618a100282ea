"""Between a picture's pixels and a model's numbers: channels, what is subtracted and divided by, and the way back."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from ..errors import CaptureError, ModelError

LUMA = "L"  # PIL's mode, ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B


def size_of(wanted: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """(height, width) of what is asked for as image size; ModelError for what is none."""
    if wanted is None:
        return None
    try:
        height, width = (int(side) for side in ((wanted, wanted) if isinstance(wanted, int) else wanted))
    except (TypeError, ValueError):
        raise ModelError(f"An image size is (height, width) in pixels, or one number; received {wanted!r}.") from None
    if min(height, width) < 1 or max(height, width) > 4096:
        raise ModelError(f"The image size {height}x{width} is outside 1 to 4096 pixels.")
    return height, width


def per_channel(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """One value a channel of those of a configuration, which may have been written for coloured pictures."""
    values = tuple(map(float, values))
    return values if len(values) == channels else (sum(values) / len(values),) * channels


def greyed(view: np.ndarray) -> np.ndarray:
    """[H, W, 1]: the luma of uint8 [H, W, 3]; a grey view keeps its values."""
    return np.asarray(Image.fromarray(view).convert(LUMA))[:, :, None]


def checked_tensor(pixels: object, shape: tuple[int, int, int], name: str) -> torch.Tensor:
    """float [1, C, H, W] of what the caller's own transform gave; CaptureError for anything else."""
    channels, height, width = shape
    wanted = f"float [{channels}, {height}, {width}] or [1, {channels}, {height}, {width}]"
    if not isinstance(pixels, (torch.Tensor, np.ndarray)):
        raise CaptureError(
            f"Got an object of type {type(pixels).__name__}, but a tensor was expected: {wanted}, as your own "
            f"transform gives it. Pictures are for vizvit.capture."
        )
    tensor = torch.as_tensor(pixels).detach()
    given = f"a tensor of shape {list(tensor.shape)} and type {str(tensor.dtype).removeprefix('torch.')}"
    if tensor.ndim == 4 and len(tensor) > 1:
        raise CaptureError(f"Got {given}, but one picture at a time was expected: {wanted}.")
    if tensor.shape[-3:] != shape or tensor.ndim not in (3, 4):
        raise CaptureError(
            f"Got {given}, but {name} reads {wanted}. Another size needs a model that is wrapped with image_size=."
        )
    if not tensor.is_floating_point():
        raise CaptureError(
            f"Got {given}, but normalised numbers were expected: {wanted}. Apply the transform that the model was "
            f"trained with, or give the picture to vizvit.capture."
        )
    if not torch.isfinite(tensor).all():
        raise CaptureError(f"Got {given} with values that are not finite. Replace them first.")
    return tensor.reshape(1, *shape)


def rendition(pixels: torch.Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[np.ndarray, bool]:
    """(uint8 [H, W, 3] to look at, whether it is the very picture) of a model's input, [1, C, H, W].

    Where undoing the model's own normalisation gives the whole steps of an 8-bit picture, it is that picture.
    Otherwise each channel is scaled from its 0.5th to its 99.5th percentile; three channels are shown as red, green
    and blue, others as the grey of their mean.
    """
    values = pixels[0].detach().float().cpu()
    shift, scale = (torch.tensor(part).view(-1, 1, 1) for part in (mean, std))
    steps = (values * scale + shift) * 255
    whole = steps.round()
    channels = len(values)
    if channels in (1, 3) and (steps - whole).abs().max() < 0.02 and whole.min() >= 0 and whole.max() <= 255:
        shown = whole
    else:
        flat = values.flatten(1).numpy()
        low, high = (torch.from_numpy(np.percentile(flat, part, axis=1)).view(-1, 1, 1) for part in (0.5, 99.5))
        spread = (high - low).clamp_min(1e-12)
        shown = ((values - low) / spread).clamp(0, 1).mul(255).round()
        if channels not in (1, 3):
            shown = shown.mean(0, keepdim=True).round()
        whole = None
    view = shown.to(torch.uint8).permute(1, 2, 0).numpy()
    return np.ascontiguousarray(np.broadcast_to(view, (*view.shape[:2], 3))), whole is not None
