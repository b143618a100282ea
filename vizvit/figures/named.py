"""Arrays by name on one figure, each drawn as its shape asks: maps, strips, matrices, tiles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from vizvit.figures.maps import overlay
from vizvit.figures.page import BODY, LABEL, SMALL, Page, Patch, find_colormap, shorten, text_width
from vizvit.figures.raster import ATTENTION_CMAP, SIGNED_CMAP, as_pixels, joined, printable, ratio_of
from vizvit.numbers import number

_GAP, _HEAD = 0.14, 0.3  # inches between drawings, and above one for its name
_ACROSS = 3  # maps beside each other
_STRIP, _TALLEST = 0.28, 1.6  # the height of a vector, and of a matrix at most


def named_figure(
    maps: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    *,
    image: np.ndarray,
    query: Patch | None = None,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """maps: [rows, cols], drawn over the picture where no value is negative. values: vectors [n] and matrices [m, n],
    as colours around white where some value is negative; colours, uint8 [rows, cols, 3], and tiles of them, [n, ...]
    or [down, across, ...]. image: uint8 [H, W, 3].

    Each is coloured to its own extremes, which stand beside its name. Raises ValueError for another shape.
    """
    wide = (BODY - (_ACROSS - 1) * _GAP) / _ACROSS
    high = wide * ratio_of(as_pixels(image).shape)
    down = -(-len(maps) // _ACROSS)
    pictures = {name: _pixels(name, array) for name, array in values.items()}
    heights = {name: _height(values[name], picture) for name, picture in pictures.items()}
    below = down * (_HEAD + high + _GAP)
    page = Page(BODY, below + sum(_HEAD + height + _GAP for height in heights.values()), title, caption, theme)
    for index, (name, heat) in enumerate(maps.items()):
        x, y = index % _ACROSS * (wide + _GAP), index // _ACROSS * (_HEAD + high + _GAP) + _HEAD
        pixels = overlay(printable(image, wide), heat, blend="fade") if heat.min() >= 0 else _coloured(heat)
        page.picture(pixels, heat.shape, (x, y, wide, high), query)
        _name(page, x, y, wide, name, heat)
    for name, pixels in pictures.items():
        square = heights[name] * pixels.shape[1] / pixels.shape[0]
        broad = min(square, BODY) if values[name].dtype == np.uint8 else BODY
        page.picture(pixels, pixels.shape[:2], (0, below + _HEAD, broad, heights[name]))
        _name(page, 0, below + _HEAD, BODY, name, values[name])
        below += _HEAD + heights[name] + _GAP
    return page.figure


def _name(page: Page, x: float, y: float, wide: float, name: str, values: np.ndarray) -> None:
    ends = "" if values.dtype == np.uint8 else f"{number(values.min())} … {number(values.max())}"
    if ends and values.min() >= 0:  # the colours begin at 0
        ends = f"max {number(values.max())}"
    page.text(x + wide, y - 0.06, ends, SMALL, quiet=True, va="bottom", ha="right")
    room = wide - text_width(ends, SMALL) - 0.1
    page.text(x, y - 0.06, shorten(name.replace("_", " "), room, LABEL), LABEL, va="bottom")


def _pixels(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint8 and values.shape[-1:] == (3,) and values.ndim in (3, 4, 5):
        tiles = values[None] if values.ndim == 4 else values
        return tiles if values.ndim == 3 else joined(tiles, 1)
    if values.ndim not in (1, 2) or not values.size:
        raise ValueError(f"{name} has the shape {list(values.shape)}, but [n], [m, n] or colours were expected.")
    return _coloured(np.atleast_2d(values))


def _coloured(values: np.ndarray) -> np.ndarray:
    """uint8 [..., 3]: around white where some value is negative."""
    most = float(np.abs(values).max()) or 1.0
    signed = values.min() < 0
    place = values / most / 2 + 0.5 if signed else values / most
    return find_colormap(SIGNED_CMAP if signed else ATTENTION_CMAP)(place, bytes=True)[..., :3]


def _height(values: np.ndarray, pixels: np.ndarray) -> float:
    if values.dtype == np.uint8:
        return min(BODY * pixels.shape[0] / pixels.shape[1], BODY / 2)
    return _STRIP if values.ndim == 1 else min(max(len(values) * 0.12, _STRIP), _TALLEST)
