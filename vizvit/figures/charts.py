"""Figures of a whole model: all layers and heads, positions, heads by depth, filters."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from vizvit.figures.page import (
    ACCENT,
    AXIS,
    BAR,
    BODY,
    LABEL,
    SMALL,
    STRIP,
    Page,
    Patch,
    Theme,
    number_axes,
    spaced,
)
from vizvit.figures.raster import (
    ATTENTION_CMAP,
    SIMILARITY_CMAP,
    as_colors,
    as_finite,
    as_heat,
    fitted,
    mosaic_of,
    place_beside,
    ratio_of,
    to_own_maximum,
    top_value,
    value_limits,
)
from vizvit.numbers import number


def layers_heads_figure(
    maps: np.ndarray,
    *,
    title: str = "",
    caption: str = "",
    shared_scale: bool = False,
    label: str = "attention",
    theme: str = "light",
) -> Figure:
    """Every head of every layer as a matrix of thumbnails: a row a layer, a column a head.

    maps: [layer, head, rows, cols]. Every thumbnail is coloured from 0 to its own greatest value, or with
    `shared_scale` to the greatest of all.
    """
    maps = as_heat(maps, "layer head rows cols")
    layers, heads, rows, cols = maps.shape
    top = top_value(maps, None)
    scaled = maps / top if shared_scale else to_own_maximum(maps)
    ratio = ratio_of((rows, cols))
    tile = min((BODY - AXIS) / heads, 7.2 / layers / ratio, 0.9)
    width, height = heads * tile, layers * tile * ratio
    page = Page(BODY, AXIS + height + 0.06 + STRIP, title, caption, theme)
    place = (page.centred(AXIS + width) + AXIS, AXIS, width, height)
    mosaic = mosaic_of(as_colors(scaled, 1, ATTENTION_CMAP), page.theme.paper, tile)
    axes = page.picture(mosaic, (layers, heads), place)
    number_axes(axes, page.theme, ("layer", "head"), place)
    page.strip(AXIS + height + 0.06, ATTENTION_CMAP, top, label, None if shared_scale else "thumbnail")
    return page.figure


def position_similarity_figure(
    similarity: np.ndarray,
    *,
    selected: Patch | None = None,
    limits: tuple[float, float] | None = (-1.0, 1.0),
    colormap: str = SIMILARITY_CMAP,
    title: str = "",
    caption: str = "",
    label: str = "cosine similarity",
    theme: str = "light",
) -> Figure:
    """Similarity of position embeddings, one tile a position (Dosovitskiy et al. 2021, Figure 7, centre).

    similarity: [rows, cols, rows, cols]; the tile at (row, col) shows how similar that position is to all
    others. selected: the tile to outline. limits: what the colours run between; None for the least and the
    greatest value. colormap: SIGNED_CMAP suits signed values, such as a relative bias.
    """
    similarity = as_finite(similarity, "rows cols rows cols")
    rows, cols = similarity.shape[:2]
    if similarity.shape[2:] != (rows, cols):
        raise ValueError(
            f"The similarity has shape {list(similarity.shape)}, but [rows, cols, rows, cols] was expected."
        )
    low, high = value_limits(similarity, limits)
    tiles = as_colors(similarity - low, high - low, colormap)
    width, height = fitted((rows * rows, cols * cols), BODY - AXIS - BAR)
    page = Page(BODY, AXIS + height, title, caption, theme)
    place = (page.centred(AXIS + width + BAR) + AXIS, AXIS, width, height)
    axes = page.picture(mosaic_of(tiles, page.theme.paper, place[2] / cols), (rows, cols), place, selected)
    number_axes(axes, page.theme, ("patch row", "patch column"), place)
    page.bar(place_beside(place), colormap, (low, high), label)
    return page.figure


def depth_figure(
    values: np.ndarray,
    *,
    ylabel: str,
    selected: tuple[int, int] | None = None,
    uniform: float | None = None,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """One number a head by depth, as mean attention distance (Dosovitskiy et al. 2021, Figure 7, right).

    values: [layer, head], any unit, which `ylabel` names. A dot a head, a line through the layers' means.
    selected: (layer, head), in the accent colour with its value. uniform: the value of uniform attention, as a line.
    """
    values = as_finite(values, "layer head")
    layers, heads = values.shape
    if selected is not None and not (0 <= selected[0] < layers and 0 <= selected[1] < heads):
        raise ValueError(f"(layer, head) {selected} was selected, but there are {layers} layers of {heads} heads.")
    page = Page(BODY, 4.1, title, caption, theme)
    left, width = 0.6, BODY - 0.6
    axes, look = page.axes((left, 0.36, width, 3.25), "plot"), page.theme
    layer, mean = np.arange(layers), values.mean(1)
    axes.plot(layer, mean, color=look.quiet, linewidth=1.6, zorder=2)
    axes.scatter(np.repeat(layer, heads), values.ravel(), s=44, color=look.mark, alpha=0.65, lw=0, zorder=3)
    aside = {"textcoords": "offset points", "va": "center", "annotation_clip": False}
    axes.annotate("mean", (layer[-1], mean[-1]), (10, 0), fontsize=SMALL, color=look.quiet, **aside)
    if selected is not None:
        at = (selected[0], float(values[selected]))
        side, align = (-11, "right") if at[0] > layers / 2 else (11, "left")
        words = f"layer {at[0]}, head {selected[1]}: {number(at[1])}"
        axes.scatter(*at, s=110, color=ACCENT, edgecolors=look.paper, linewidths=1.5, zorder=4, label="selected")
        note = axes.annotate(words, at, (side, 0), fontsize=LABEL, color=look.ink, ha=align, **aside)
        note.set(weight="bold", zorder=5, bbox={"facecolor": look.paper, "alpha": 0.85, "linewidth": 0, "pad": 1.5})
    if uniform is not None:
        axes.axhline(uniform, color=look.quiet, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate("uniform", (-0.5, uniform), (2, 6), fontsize=SMALL, color=look.quiet, **aside)
    axes.set_xlim(-0.5, layers - 0.5 + 0.07 * layers)
    axes.margins(y=0.1)
    if values.min() >= 0:
        axes.set_ylim(0, 1.1 * (max(float(values.max()), uniform or 0) or 1))
    finish_by_depth(axes, look, layers, (left, width), ylabel)
    return page.figure


def finish_by_depth(axes: Axes, look: Theme, layers: int, across: tuple[float, float], ylabel: str) -> None:
    """Ticks, grid and names of axes with the layers from left to right; across: their left and width in inches."""
    left, width = across
    axes.xaxis.set_major_locator(FixedLocator(spaced(layers, width / layers)))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="y", color=look.line, linewidth=0.8)
    axes.spines["bottom"].set(visible=True, color=look.line)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=look.quiet, pad=5)
    axes.set_xlabel("layer", fontsize=LABEL, color=look.ink, labelpad=3)
    axes.set_ylabel(ylabel, fontsize=LABEL, color=look.ink, rotation=0, ha="left", va="bottom", parse_math=False)
    axes.yaxis.set_label_coords(-left / width, 1.03)


def filters_figure(filters: np.ndarray, *, title: str = "", caption: str = "", theme: str = "light") -> Figure:
    """Patch-embedding filters as coloured tiles (Dosovitskiy et al. 2021, Figure 7, left).

    filters: [n, height, width, 3] in 0..1, drawn as they are.
    """
    filters = as_finite(filters, "n height width rgb")
    if filters.shape[3] != 3 or filters.min() < 0 or filters.max() > 1:
        raise ValueError(
            f"The filters have shape {list(filters.shape)} and values from {number(filters.min())} to "
            f"{number(filters.max())}, but [n, height, width, 3] in 0..1 was expected."
        )
    across = min(len(filters), 7)
    down = -(-len(filters) // across)
    width = min(BODY, across * 1.1)
    height = down * width / across * ratio_of(filters.shape[1:3])
    page = Page(BODY, height, title, caption, theme)
    paper = np.array(to_rgb(page.theme.paper))
    tiles = np.full((down * across, *filters.shape[1:]), paper, np.float32)
    tiles[: len(filters)] = filters
    pixels = np.rint(tiles * 255).astype(np.uint8).reshape(down, across, *filters.shape[1:])
    mosaic = mosaic_of(pixels, page.theme.paper, width / across)
    page.picture(mosaic, (down, across), (page.centred(width), 0, width, height))
    return page.figure
