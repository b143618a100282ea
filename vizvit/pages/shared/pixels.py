"""Arrays as pictures on a page: views enlarged, maps coloured, tiles set side by side, and their PNG."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import cv2
import matplotlib
import numpy as np

from vizvit.figures import ACCENT, SIGNED_CMAP, overlay
from vizvit.figures.raster import joined

Box = tuple[int, int, int, int]  # (left, top, right, bottom) in pixels


def picture(
    view: np.ndarray,
    heat: np.ndarray | None = None,
    *,
    box: Box | None = None,
    smooth: bool = False,
    opacity: float = 0.65,
    side: int = 640,
    ends: tuple[float, float] | None = None,
    log: bool = False,
    marked: Iterable[Box] = (),
) -> bytes:
    """A PNG of the model's view, enlarged by a whole factor, with a map over it and the query patch outlined. A view
    that is larger than `side` is made smaller instead, to whole pixels a patch.

    view: uint8 [H, W, 3]; heat: [rows, cols] raw; box: in the view's pixels. ends: the values that the colours run
    between, 0 and the map's own maximum by default; log: over their logarithm. marked: patches with a thin white edge.
    """
    if heat is None or max(view.shape[:2]) <= side:
        large = enlarged(view, side)
    else:
        rows, cols = _tiles(heat, side)
        large = cv2.resize(view, (cols, rows), interpolation=cv2.INTER_AREA)
    if heat is not None:
        low, high = ends or (None, None)
        large = overlay(large, heat, smooth=smooth, opacity=opacity, low=low, high=high, log=log, blend="fade")
    factor = large.shape[0] / view.shape[0]
    for left, top, right, bottom in (_scaled(one, factor) for one in marked):
        # Both lines are outside: inside they would hide most of a small patch.
        cv2.rectangle(large, (left - 2, top - 2), (right + 1, bottom + 1), (0, 0, 0), 1)
        cv2.rectangle(large, (left - 1, top - 1), (right, bottom), (255, 255, 255), 1)
    if box is not None:
        large = outline(large, _scaled(box, factor))
    return png(large)


def _tiles(values: np.ndarray, side: int) -> tuple[int, int]:
    """(height, width) in pixels, about `side` the longer, of a map [rows, cols] with whole pixels a patch."""
    rows, cols = values.shape
    each = max(1, round(side / max(rows, cols)))
    return each * rows, each * cols


def _scaled(box: Box, factor: float) -> Box:
    left, top, right, bottom = (round(factor * edge) for edge in box)
    return left, top, right, bottom


def signed_picture(values: np.ndarray, most: float, side: int) -> bytes:
    """A PNG of signed values [rows, cols], about `side` pixels, white at 0 and of full colour at `most`."""
    return png(stretched(colours(values, SIGNED_CMAP, -most, most), _tiles(values, side)))


def enlarged(view: np.ndarray, side: int) -> np.ndarray:
    """A view by the whole factor that makes its longer side about `side` pixels."""
    factor = max(1, round(side / max(view.shape[:2])))
    return cv2.resize(view, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def stretched(tiles: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """[..., rows, cols, 3] to (height, width) pixels a tile, every pixel that of the cell it lies in."""
    (rows, cols), (height, width) = tiles.shape[-3:-1], size
    down, across = np.arange(height) * rows // height, np.arange(width) * cols // width
    return tiles[..., down, :, :][..., across, :]


def colours(values: np.ndarray, colormap: str, low: float, high: float) -> np.ndarray:
    """uint8 [..., 3] of values [...]: of a colour map that runs from low to high."""
    share = np.clip((np.asarray(values) - low) / max(high - low, 1e-12), 0, 1)
    return matplotlib.colormaps[colormap](share, bytes=True)[..., :3]


def mosaic(tiles: np.ndarray, size: tuple[int, int], gap: int, *, by_column: bool = False) -> bytes:
    """A PNG of tiles, uint8 [down, across, rows, cols, 3], each of (height, width) pixels with a white edge.

    by_column: the first axis runs across, the second one down.
    """
    return png(joined(stretched(tiles.swapaxes(0, 1) if by_column else tiles, size), gap))


def outline(rgb: np.ndarray, box: Box) -> np.ndarray:
    """The query patch's outline: the accent colour with a white edge, visible on any picture."""
    left, top, right, bottom = box
    thick = max(2, max(rgb.shape) // 160)
    marked = np.ascontiguousarray(rgb)
    accent = tuple(round(255 * part) for part in matplotlib.colors.to_rgb(ACCENT))
    for colour, width in (((255, 255, 255), thick + 2), (accent, thick)):
        cv2.rectangle(marked, (left, top), (right - 1, bottom - 1), colour, width)
    return marked


def png(rgb: np.ndarray) -> bytes:
    """uint8 [H, W, 3]."""
    return _encoded(rgb, "png", cv2.IMWRITE_PNG_COMPRESSION, 1)


def png_url(png: bytes) -> str:
    """A PNG as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def photo_url(rgb: np.ndarray) -> str:
    """A photograph, uint8 [H, W, 3], as the data URL of a WebP."""
    return f"data:image/webp;base64,{base64.b64encode(_encoded(rgb, 'webp', cv2.IMWRITE_WEBP_QUALITY, 92)).decode()}"


def _encoded(rgb: np.ndarray, kind: str, *options: int) -> bytes:
    return cv2.imencode(f".{kind}", cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGR), options)[1].tobytes()
