"""Maps over the picture, matrices and tiles, as HTML that the browser enlarges without smoothing."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType

import cv2
import matplotlib
import numpy as np

from vizvit.figures import ATTENTION_CMAP
from vizvit.numbers import number
from vizvit.pages.shared.pixels import colours, enlarged, photo_url, png, png_url

Patch = tuple[int, int]


def photo(view: np.ndarray, side: int = 480) -> str:
    """The model's view as a data URL, enlarged by a whole factor."""
    return photo_url(enlarged(view, side))


def over_picture(
    picture: str,
    values: np.ndarray,
    label: str,
    *,
    name: str = "",
    query: Patch | None = None,
    marks: Mapping[int, Patch] = MappingProxyType({}),
    colormap: str = ATTENTION_CMAP,
    low: float = 0.0,
    high: float | None = None,
    opacity: float = 0.65,
    threads: int = 0,
    chosen: bool = False,
) -> str:
    """A map [rows, cols] over the picture (a data URL, or "" for what the CSS variable --photo holds), the query
    outlined and `marks` with their numbers.

    threads: as many lines from the query to the patches with the greatest values, as thick as these are great.
    """
    rows, cols = values.shape
    high = float(np.nanmax(values)) if high is None else high
    tiny = png_url(png(colours(values, colormap, low, high)))
    hover = "".join(
        f'<rect x="{col}" y="{row}" width="1" height="1" data-tip="({row}, {col}): {number(values[row, col])}"/>'
        for row in range(rows)
        for col in range(cols)
        if rows * cols <= 400
    )
    size = f'font-size="{max(0.55, 0.045 * cols):.2f}"'
    numbers = "".join(
        f'<text x="{col + 0.5}" y="{row + 0.5}" {size} class="vw-mark">{index}</text>'
        for index, (row, col) in marks.items()
    )
    below = f'<img src="{picture}" alt="">' if picture else ""
    lines = _threads(values, query, threads) if query is not None else ""
    return (
        f'<figure class="vw-map{" chosen" if chosen else ""}" data-draw="{escape(name)}">'
        f"<figcaption>{label}</figcaption>"
        f'<div{"" if picture else " class=vw-photo"} style="aspect-ratio:{cols}/{rows}">{below}'
        f'<img class="vw-heat" style="opacity:{opacity}" src="{tiny}" alt="{escape(label)}">'
        f'<svg viewBox="0 0 {cols} {rows}"><g class="vw-hover">{hover}</g>{lines}{numbers}{outline(query)}</svg>'
        "</div></figure>"
    )


def _threads(values: np.ndarray, query: Patch, count: int) -> str:
    flat, cols = values.ravel(), values.shape[1]
    row, col = query
    lines = []
    for index in np.argsort(-flat, kind="stable")[:count]:
        to = divmod(int(index), cols)
        if to != query:
            width = 0.6 + 4.4 * float(flat[index]) / (float(flat.max()) or 1.0)
            ends = f'x1="{col + 0.5}" y1="{row + 0.5}" x2="{to[1] + 0.5}" y2="{to[0] + 0.5}"'
            lines.append(f'<line {ends} stroke-width="{width:.2f}"/>')
    return f'<g class="vw-threads">{"".join(lines)}</g>'


def matrix(
    values: np.ndarray,
    label: str,
    *,
    name: str = "",
    colormap: str,
    low: float,
    high: float,
    query: Patch | None = None,
) -> str:
    """A matrix [rows, cols] of square cells, without a picture beneath."""
    return tile(colours(values, colormap, low, high), label, name=name, query=query)


def tile(rgb: np.ndarray, label: str, *, name: str = "", query: Patch | None = None, chosen: bool = False) -> str:
    """Colours uint8 [rows, cols, 3] as an enlarged tile with its label above."""
    rows, cols = rgb.shape[:2]
    return (
        f'<figure class="vw-map{" chosen" if chosen else ""}" data-draw="{escape(name)}">'
        f'<figcaption>{label}</figcaption><div style="aspect-ratio:{cols}/{rows}">'
        f'<img class="vw-heat" src="{png_url(png(rgb))}" alt="{escape(label)}">'
        f'<svg viewBox="0 0 {cols} {rows}">{outline(query)}</svg></div></figure>'
    )


def shrunk(rgb: np.ndarray, most: int = 400) -> np.ndarray:
    """Colours of a large matrix, uint8 [m, n, 3], as a screen shows them: at most so many pixels a side."""
    height, width = (min(size, most) for size in rgb.shape[:2])
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def outline(patch: Patch | None) -> str:
    """The query's outline in the accent colour with a white edge, in an SVG that counts in patches."""
    if patch is None:
        return ""
    row, col = patch
    box = f'<rect x="{col}" y="{row}" width="1" height="1" fill="none" vector-effect="non-scaling-stroke" '
    return f'{box} stroke="#fff" stroke-width="5.5"/>{box} class="vw-query" stroke-width="3"/>'


def gallery(tiles: list[str], width: str = "130px") -> str:
    """Tiles in rows, of one width."""
    return f'<div class="vw-gallery" style="--tile:{width}">{"".join(tiles)}</div>'


def category_colours(count: int) -> np.ndarray:
    """uint8 [count, 3]: colours that are told apart, as long as they are few."""
    palette = matplotlib.colormaps["tab10"](np.delete(np.arange(10), 7), bytes=True)[:, :3]  # grey is for the others
    return palette[np.arange(count) % len(palette)]
