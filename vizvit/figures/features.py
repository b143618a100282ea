"""Features as pictures: similarity over the photograph, components as colours, norms with their histogram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from vizvit.figures.page import BAR, BODY, LABEL, SMALL, Page, Patch, find_colormap, shorten
from vizvit.figures.raster import SIMILARITY_CMAP, as_finite, as_pixels, fitted, place_beside, printable, ratio_of
from vizvit.numbers import number

NORM_CMAP = "inferno"
MARKED = "#26c6da"  # the outline of artefact tokens
VEIL = 0.6  # opacity of similarity over the photograph
BINS = 40  # of the histogram


def feature_limits(values: np.ndarray) -> tuple[float, float]:
    """What the colours of features run between, as in the explorer: the 1st and the 99th percentile.

    Values that are all alike get limits half a unit to both sides.
    """
    low, high = (float(value) for value in np.percentile(as_finite(np.ravel(values), "value"), (1, 99)))
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def feature_colors(values: np.ndarray, colormap: str, limits: tuple[float, float] | None = None) -> np.ndarray:
    """uint8 [rows, cols, 3]: the colours of values [rows, cols] between `limits`, by default `feature_limits`."""
    low, high = feature_limits(values) if limits is None else limits
    return find_colormap(colormap)((np.asarray(values, np.float64) - low) / (high - low), bytes=True)[..., :3]


def component_colors(components: np.ndarray, beside: np.ndarray | None = None) -> np.ndarray:
    """uint8 [rows, cols, 3]: the first three components [rows, cols, n] as red, green and blue; fewer leave some black.

    Each runs from its own 1st to its 99th percentile. beside: those of another picture along the same axes; the
    percentiles are then of the patches of both.
    """
    components = as_finite(components, "rows cols component")[..., :3]
    values = components.reshape(-1, components.shape[-1])
    if beside is not None:
        values = np.concatenate([values, np.reshape(beside, (-1, np.shape(beside)[-1]))[:, :3]])
    colors = np.zeros((*components.shape[:2], 3), np.uint8)
    for channel in range(components.shape[2]):
        low, high = feature_limits(values[:, channel])
        share = np.clip((components[..., channel].astype(np.float64) - low) / (high - low), 0, 1)
        colors[..., channel] = np.floor(share * 255 + 0.5)
    return colors


def over(picture: np.ndarray, colors: np.ndarray, opacity: float) -> np.ndarray:
    """uint8 [H, W, 3]: colours [rows, cols, 3] of patches over a picture, each covering its part of it."""
    height, width = picture.shape[:2]
    rows = (2 * np.arange(height) + 1) * colors.shape[0] // (2 * height)
    cols = (2 * np.arange(width) + 1) * colors.shape[1] // (2 * width)
    blend = (1 - opacity) * picture.astype(np.float32) + opacity * colors[rows][:, cols].astype(np.float32)
    return np.rint(blend).astype(np.uint8)


def similarity_figure(
    image: np.ndarray | Image.Image,
    similarity: np.ndarray,
    *,
    query: Patch | None = None,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """A map of cosines [rows, cols] over a picture, with a colour bar between the limits of `feature_limits`."""
    similarity, limits = as_finite(similarity, "rows cols"), feature_limits(similarity)
    colors = feature_colors(similarity, SIMILARITY_CMAP, limits)
    return _one(image, colors, VEIL, query, (SIMILARITY_CMAP, limits, "cosine"), title, caption, theme)


def components_figure(
    maps: np.ndarray,
    *,
    titles: Sequence[str] | None = None,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """Components of one or several layers as colours, side by side.

    maps: [layer, rows, cols, n], the first three of them shown. titles: one a map, "layer 0" on if not given.
    """
    maps = as_finite(maps, "layer rows cols component")
    titles = [f"layer {layer}" for layer in range(len(maps))] if titles is None else titles
    if len(titles) != len(maps):
        raise ValueError(f"There are {len(titles)} titles for {len(maps)} maps, but one a map was expected.")
    across = len(maps) if len(maps) <= 3 else 4
    gap, head = 0.12, 0.26
    width = min((BODY - (across - 1) * gap) / across, 5.0)
    height = width * ratio_of(maps.shape[1:3])
    down = -(-len(maps) // across)
    page = Page(BODY, down * (head + height + gap), title, caption, theme)
    left = page.centred(across * (width + gap) - gap)
    for index, components in enumerate(maps):
        x, y = left + index % across * (width + gap), index // across * (head + height + gap) + head
        page.picture(component_colors(components), maps.shape[1:3], (x, y, width, height))
        page.text(x, y - 0.07, shorten(str(titles[index]), width, LABEL), LABEL, va="bottom")
    return page.figure


def norms_figure(
    norms: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    threshold: float | None = None,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """Norms of patches [rows, cols] as a map, and below it their histogram with the fitted threshold.

    mask: bool [rows, cols], patches to outline. threshold: to mark, None for none.
    """
    norms, limits = as_finite(norms, "rows cols"), feature_limits(norms)
    width, height = fitted(norms.shape, 4.6)
    page = Page(BODY, height + 2.2, title, caption, theme)
    place = (page.centred(width + BAR), 0, width, height)
    axes = page.picture(feature_colors(norms, NORM_CMAP, limits), norms.shape, place)
    for row, col in np.argwhere(mask) if mask is not None else ():
        axes.add_patch(Rectangle((col, row), 1, 1, fill=False, edgecolor=MARKED, linewidth=1.6, clip_on=False))
    page.bar(place_beside(place), NORM_CMAP, limits, "norm")
    look = page.theme
    plot = page.axes((0.6, height + 0.4, BODY - 0.7, 1.35), "histogram")
    plot.hist(norms.ravel(), BINS, color=look.mark)
    if threshold is not None:
        plot.axvline(threshold, color="#d81b60", linewidth=1.6)
        plot.annotate(
            f"threshold {number(threshold)}", (threshold, 1), (5, -2), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=SMALL, color=look.ink, va="top",
        )  # fmt: skip
    plot.tick_params(length=0, labelsize=SMALL, labelcolor=look.quiet, pad=4)
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    plot.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    plot.spines["bottom"].set(visible=True, color=look.line)
    plot.set_xlabel("norm", fontsize=LABEL, color=look.ink, labelpad=3)
    plot.set_ylabel("patches", fontsize=LABEL, color=look.ink)
    return page.figure


def _one(
    image: np.ndarray | Image.Image,
    colors: np.ndarray,
    opacity: float,
    query: Patch | None,
    bar: tuple[str, tuple[float, float], str],
    title: str,
    caption: str,
    theme: str,
) -> Figure:
    picture = as_pixels(image)
    width, height = fitted(picture.shape)
    page = Page(width + BAR, height, title, caption, theme)
    place = (page.centred(width + BAR), 0, width, height)
    page.picture(over(printable(picture, max(width, height)), colors, opacity), colors.shape[:2], place, query)
    page.bar(place_beside(place), *bar)
    return page.figure
