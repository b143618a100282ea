"""A map and the picture beneath it in one: how much of the photograph is let through."""

from __future__ import annotations

import numpy as np

BLENDS = ("fade", "light", "veil")
DIM, DULL = 0.5, 0.4  # of a picture beneath a fading map, at full opacity: mixed with GREY, and with its own luma
GREY = 44
LUMA = np.array([0.213, 0.715, 0.072], np.float32)  # as SVG and CSS saturate


def blended(picture: np.ndarray, place: np.ndarray, colour: np.ndarray, opacity: float, blend: str) -> np.ndarray:
    """float [H, W, 3], 0 to 255, as `overlay` describes it.

    picture: [H, W, 3]. place: [H, W], where each value lies between its limits, 0 to 1. colour: [H, W, 3], 0 to 1.
    """
    if blend not in BLENDS:
        raise ValueError(f"The blend is {blend!r}, but one of {', '.join(BLENDS)} was expected.")
    if blend == "veil":
        return picture * np.float32(1 - opacity) + colour * np.float32(255 * opacity)
    place = place[..., None].astype(np.float32)
    if blend == "light":
        return picture * (1 - np.float32(opacity) * (1 - place))
    most = np.float32(opacity**0.5)  # only the greatest value gets all of it: by itself it would be weak
    return muted(picture, most) * (1 - most * place) + colour * (255 * most * place)


def muted(picture: np.ndarray, most: np.float32) -> np.ndarray:
    """A picture, dimmed and drawn towards grey, beneath a fading map that is nowhere more opaque than `most`."""
    dull, dim = DULL * most, DIM * most
    grey = (picture @ LUMA)[..., None]
    return (picture * (1 - dull) + grey * dull) * (1 - dim) + GREY * dim
