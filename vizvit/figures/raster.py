"""Arrays that are checked and made into pictures fit for print, and the colour map that each meaning has."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from vizvit.figures.page import BAR, BODY, Place, find_colormap
from vizvit.figures.scale import EVEN, top_of

ATTENTION_CMAP = "viridis"
SIGNED_CMAP = "RdBu_r"
SIMILARITY_CMAP = "cividis"


def as_pixels(image: np.ndarray | Image.Image) -> np.ndarray:
    if isinstance(image, Image.Image):
        return np.asarray(image.convert("RGB"))
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            f"The image is an array of shape {list(image.shape)} and type {image.dtype}, "
            "but uint8 [H, W, 3] or a PIL image was expected."
        )
    return image


def as_finite(values: np.ndarray, axes: str) -> np.ndarray:
    """float32 of an array with these axes; none empty, all finite."""
    values = np.asarray(values)
    shape = f"[{', '.join(axes.split())}]"
    if values.dtype.kind not in "buif" or values.ndim != len(axes.split()) or not values.size:
        raise ValueError(f"Got values of shape {list(values.shape)} and type {values.dtype}, but {shape} was expected.")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("Got values that are NaN or infinite, but finite numbers were expected.")
    return values


def as_heat(values: np.ndarray, axes: str) -> np.ndarray:
    values = as_finite(values, axes)
    if values.min() < 0:
        raise ValueError(f"Got values down to {values.min():g}, but raw non-negative attention was expected.")
    return values


def top_value(heat: np.ndarray, vmax: float | None) -> float:
    """The value of the last colour, without a `vmax` that of `scale.top_of`; 1 for a map of zeros."""
    if vmax is not None and not 0 <= vmax < np.inf:
        raise ValueError(f"vmax is {vmax}, but a number from 0 up was expected.")
    return top_of(heat) if vmax is None else float(vmax) or 1.0


def to_own_maximum(maps: np.ndarray) -> np.ndarray:
    """Maps [..., rows, cols], each divided by the upper end of its own scale (`scale.top_of`); one of zeros stays."""
    own = np.maximum(maps.max((-2, -1), keepdims=True), EVEN * maps.mean((-2, -1), keepdims=True))
    return maps / np.where(own > 0, own, 1)


def value_limits(values: np.ndarray, limits: tuple[float, float] | None) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if limits is None else limits
    if limits is not None and not low < high:
        raise ValueError(f"The limits are {limits}, but (lower, upper) was expected.")
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def as_colors(values: np.ndarray, top: float, colormap: str) -> np.ndarray:
    """uint8 [..., 3]: the colours of values in 0..top."""
    return find_colormap(colormap)(values / top, bytes=True)[..., :3]


def ratio_of(shape: Sequence[int]) -> float:
    """Height over width, kept between 1:8 and 8:1 so that no picture becomes a line."""
    return float(np.clip(shape[0] / shape[1], 1 / 8, 8))


def fitted(shape: Sequence[int], side: float = BODY - BAR) -> tuple[float, float]:
    """Width and height in inches of a picture whose longer side is `side`."""
    ratio = ratio_of(shape)
    return (side, side * ratio) if ratio <= 1 else (side / ratio, side)


def printable(picture: np.ndarray, inches: float) -> np.ndarray:
    """A picture with about the pixels that a print shows: a small one enlarged by a whole factor, so that it
    stays smooth beneath sharp patches, a large one reduced."""
    height, width = picture.shape[:2]
    wanted = inches * 160
    if max(height, width) > 4 * wanted:
        scale = 2 * wanted / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    factor = min(int(np.ceil(wanted / max(height, width))), 8)
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def mosaic_of(tiles: np.ndarray, paper: str, inches: float) -> np.ndarray:
    """[down, across, rows, cols, 3] -> one picture [H, W, 3]: equal tiles with gaps of paper around each.

    Each tile is enlarged by a whole factor to about what a print of `inches` a tile can show.
    """
    rows, cols = tiles.shape[2:4]
    factor = max(1, round(inches * 200 / cols))
    tiles = tiles.repeat(factor, 2).repeat(factor, 3)
    return joined(tiles, max(1, round(0.03 * factor * min(rows, cols))), paper)


def joined(tiles: np.ndarray, gap: int, paper: str = "#ffffff") -> np.ndarray:
    """[down, across, rows, cols, 3] -> one picture [H, W, 3], `gap` pixels of paper around each tile."""
    down, across, *_ = tiles.shape
    color = np.rint(255 * np.array(to_rgb(paper))).astype(np.uint8)
    framed = np.pad(tiles, ((0, 0), (0, 0), (gap, gap), (gap, gap), (0, 0)))
    framed[:, :, :gap] = framed[:, :, -gap:] = framed[:, :, :, :gap] = framed[:, :, :, -gap:] = color
    return framed.transpose(0, 2, 1, 3, 4).reshape(down * framed.shape[2], across * framed.shape[3], 3)


def place_beside(place: Place) -> Place:
    left, top, width, height = place
    return left + width + 0.16, top, 0.14, height
