"""Attention as pictures: overlays for the screen and figures fit for a lecture or a paper.

One meaning has one colour map everywhere: attention is sequential with dark for none, signed values are
diverging around white, similarity is another sequential map. The query patch is always outlined in the accent
colour. Every function takes plain arrays and returns a new `matplotlib.figure.Figure` (never pyplot: pages
run on threads) or RGB pixels, and raises ValueError where the arrays do not fit, in words that say what came
and what was expected.

All figures take `theme` ("light" or "dark"), `title` and `caption`; the caption, small and wrapped below, is
the place to say what is shown, of which weights, and how it was scaled.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from PIL import Image

from vizvit import scale
from vizvit.canvas import (
    ACCENT,
    AXIS,
    BAR,
    BODY,
    LABEL,
    SMALL,
    STRIP,
    Page,
    Patch,
    Place,
    find_colormap,
    number,
    number_axes,
    shorten,
    spaced,
    text_width,
)
from vizvit.scale import between, ends

ATTENTION_CMAP = "viridis"
SIGNED_CMAP = "RdBu_r"
SIMILARITY_CMAP = "cividis"

limits = scale.limits


# --- overlay ------------------------------------------------------------------------------------------------


def overlay(
    image: np.ndarray | Image.Image,
    heat: np.ndarray,
    *,
    colormap: str = ATTENTION_CMAP,
    opacity: float = 0.6,
    smooth: bool = False,
    vmax: float | None = None,
    low: float | None = None,
    high: float | None = None,
    log: bool = False,
) -> np.ndarray:
    """Blend a map over a picture -> uint8 [H, W, 3].

    image: uint8 [H, W, 3], or a PIL image. heat: [rows, cols], raw non-negative values.

    The colour map runs from `low` (0) to `high` (the map's greatest value; `vmax` is another name for it), beyond
    which values take the end colours; a map of zeros takes the first. With `log` it runs over the logarithm, and
    the limits not given are those of `limits(heat, log=True)`. Every pixel becomes
    (1 - opacity) · picture + opacity · colour. Each patch covers exactly the pixels whose centre lies in its part of
    the picture; `smooth` interpolates between patch centres instead (bicubic): pleasant, but with detail that the
    model does not have.

    Raises ValueError for another shape, values that are negative or not finite, an opacity outside 0..1, limits
    out of order, or an unknown colour map.
    """
    picture, heat = _pixels(image), _heat(heat, "rows cols")
    if not 0 <= opacity <= 1:
        raise ValueError(f"The opacity is {opacity}, but 0 (only the picture) to 1 (only the map) was expected.")
    height, width = picture.shape[:2]
    if vmax is not None and high is not None:
        raise ValueError(f"vmax is {vmax} and high is {high}, but they are one thing: give one of them.")
    run = ends(heat, low, vmax if high is None else high, log)
    cmap = find_colormap(colormap)
    if smooth:
        full = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
        color = cmap(between(np.clip(full, 0, heat.max()), *run, log))[..., :3]
    else:
        color = cmap(between(heat, *run, log))[..., :3].astype(np.float32)  # [rows, cols, 3]
        color = color[_patch_of(height, heat.shape[0])][:, _patch_of(width, heat.shape[1])]
    blend = picture * np.float32(1 - opacity) + color * np.float32(255 * opacity)
    return np.rint(blend).astype(np.uint8)


def _patch_of(pixels: int, patches: int) -> np.ndarray:
    """[pixels]: along one side, the patch in which each pixel's centre lies."""
    return (2 * np.arange(pixels) + 1) * patches // (2 * pixels)


# --- figures over a picture ---------------------------------------------------------------------------------


def patch_grid_figure(
    image: np.ndarray | Image.Image,
    rows: int,
    cols: int,
    *,
    query: Patch | None = None,
    numbered: bool = False,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """The picture cut into its patches.

    query: (row, col), outlined. numbered: write each patch's place in the sequence (row-major, from 0), where
    the patches are large enough to hold it.
    """
    if rows < 1 or cols < 1:
        raise ValueError(f"The grid is {rows} × {cols}, but at least 1 × 1 patches were expected.")
    picture = _pixels(image)
    width, height = _fit(picture.shape)
    page = Page(width, height, title, caption, theme)
    axes = page.picture(
        _printable(picture, max(width, height)), (rows, cols), (page.centred(width), 0, width, height), query
    )
    lines = {"color": "white", "linewidth": 0.9, "alpha": 0.85, "zorder": 2}
    axes.vlines(np.arange(1, cols), 0, rows, **lines)
    axes.hlines(np.arange(1, rows), 0, cols, **lines)
    size = min(SMALL, 72 * min(0.5 * height / rows, 0.9 * width / cols / len(str(rows * cols - 1))))
    if numbered and size >= 4:
        for row, col in itertools.product(range(rows), range(cols)):
            axes.text(
                col + 0.5,
                row + 0.5,
                str(row * cols + col),
                fontsize=size,
                color="white",
                ha="center",
                va="center",
                bbox={"facecolor": "black", "alpha": 0.45, "linewidth": 0, "boxstyle": "round,pad=0.15"},
            )
    return page.figure


def overlay_figure(
    image: np.ndarray | Image.Image,
    heat: np.ndarray,
    *,
    query: Patch | None = None,
    smooth: bool = False,
    opacity: float = 0.6,
    title: str = "",
    caption: str = "",
    label: str = "attention",
    vmax: float | None = None,
    theme: str = "light",
) -> Figure:
    """A map [rows, cols] over a picture, as `overlay`, with a colour bar from 0 to its greatest value."""
    picture, heat = _pixels(image), _heat(heat, "rows cols")
    width, height = _fit(picture.shape)
    page = Page(width + BAR, height, title, caption, theme)
    pixels = overlay(_printable(picture, max(width, height)), heat, opacity=opacity, smooth=smooth, vmax=vmax)
    place = (page.centred(width + BAR), 0, width, height)
    page.picture(pixels, heat.shape, place, query)
    label = f"{label}, smoothed" if smooth else label
    page.bar(_beside(place), ATTENTION_CMAP, (0, _top(heat, vmax)), label)
    return page.figure


def heads_figure(
    maps: np.ndarray,
    *,
    image: np.ndarray | Image.Image | None = None,
    query: Patch | None = None,
    titles: Sequence[str] | None = None,
    shared_scale: bool = False,
    opacity: float = 0.6,
    title: str = "",
    caption: str = "",
    label: str = "attention",
    theme: str = "light",
) -> Figure:
    """One small map for each head.

    maps: [head, rows, cols]. image: the picture below each map, if wanted. titles: one a map, "head 0" on if
    not given. Every map is coloured from 0 to its own greatest value, which stands below it; with
    `shared_scale`, all to the greatest of all.
    """
    maps = _heat(maps, "head rows cols")
    titles = [f"head {head}" for head in range(len(maps))] if titles is None else titles
    return _small_multiples(maps, image, query, titles, shared_scale, opacity, title, caption, label, theme)


def steps_figure(
    image: np.ndarray | Image.Image,
    maps: np.ndarray,
    *,
    query: Patch | None = None,
    titles: Sequence[str] | None = None,
    shared_scale: bool = False,
    opacity: float = 0.6,
    title: str = "",
    caption: str = "",
    label: str = "attention",
    theme: str = "light",
) -> Figure:
    """A chain of maps over the same picture, such as a rollout that grows layer by layer.

    maps: [step, rows, cols]. titles: one a step, "layer 0" on if not given. Scales as in `heads_figure`.
    """
    maps = _heat(maps, "step rows cols")
    titles = [f"layer {step}" for step in range(len(maps))] if titles is None else titles
    return _small_multiples(maps, image, query, titles, shared_scale, opacity, title, caption, label, theme)


def _small_multiples(maps, image, query, titles, shared_scale, opacity, title, caption, label, theme) -> Figure:
    if len(titles) != len(maps):
        raise ValueError(f"There are {len(titles)} titles for {len(maps)} maps, but one a map was expected.")
    count, rows, cols = maps.shape
    across = _across(count)
    down = -(-count // across)
    gap, head, foot = 0.12, 0.26, 0.1 if shared_scale else 0.3
    width = min((BODY - (across - 1) * gap) / across, 2.6)
    picture = None if image is None else _pixels(image)
    height = width * _ratio((rows, cols) if picture is None else picture.shape)
    top = _top(maps, None)
    step = head + height + foot
    page = Page(BODY, down * step + STRIP, title, caption, theme)
    left = page.centred(across * (width + gap) - gap)
    if picture is not None:
        picture = _printable(picture, max(width, height))
    for index, heat in enumerate(maps):
        x, y = left + index % across * (width + gap), index // across * step + head
        own = top if shared_scale else _top(heat, None)
        if picture is None:
            pixels = _colors(heat, own, ATTENTION_CMAP)
        else:
            pixels = overlay(picture, heat, opacity=opacity, vmax=own)
        page.picture(pixels, (rows, cols), (x, y, width, height), query)
        page.text(x, y - 0.07, shorten(str(titles[index]), width, LABEL), LABEL, va="bottom")
        if not shared_scale:
            page.text(x, y + height + 0.06, f"max {number(heat.max())}", SMALL, quiet=True, va="top")
    page.strip(down * step, ATTENTION_CMAP, top, label, None if shared_scale else "map")
    return page.figure


def _across(count: int) -> int:
    """How many of `count` small maps to set side by side: at most 6, with few gaps in the last row."""
    if count <= 4:
        return count
    return min((6, 5, 4), key=lambda across: (-count % across, -across))


# --- whole-model figures ------------------------------------------------------------------------------------


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
    maps = _heat(maps, "layer head rows cols")
    layers, heads, rows, cols = maps.shape
    own = maps.max((2, 3), keepdims=True)
    top = _top(maps, None)
    scaled = maps / (top if shared_scale else np.where(own > 0, own, 1))
    ratio = _ratio((rows, cols))
    tile = min((BODY - AXIS) / heads, 7.2 / layers / ratio, 0.9)
    width, height = heads * tile, layers * tile * ratio
    page = Page(BODY, AXIS + height + 0.06 + STRIP, title, caption, theme)
    place = (page.centred(AXIS + width) + AXIS, AXIS, width, height)
    mosaic = _mosaic(_colors(scaled, 1, ATTENTION_CMAP), page.theme.paper, tile)
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
    similarity = _finite(similarity, "rows cols rows cols")
    rows, cols = similarity.shape[:2]
    if similarity.shape[2:] != (rows, cols):
        raise ValueError(
            f"The similarity has shape {list(similarity.shape)}, but [rows, cols, rows, cols] was expected."
        )
    low, high = _limits(similarity, limits)
    tiles = _colors(similarity - low, high - low, colormap)
    page, place = _page_with_axes((rows * rows, cols * cols), title, caption, theme)
    axes = page.picture(_mosaic(tiles, page.theme.paper, place[2] / cols), (rows, cols), place, selected)
    number_axes(axes, page.theme, ("patch row", "patch column"), place)
    page.bar(_beside(place), colormap, (low, high), label)
    return page.figure


def similarity_tile_figure(
    tile: np.ndarray,
    *,
    query: Patch | None,
    limits: tuple[float, float] | None = (-1.0, 1.0),
    colormap: str = SIMILARITY_CMAP,
    title: str = "",
    caption: str = "",
    label: str = "cosine similarity",
    theme: str = "light",
) -> Figure:
    """One tile of `position_similarity_figure`, enlarged.

    tile: [rows, cols], the similarity of the position `query` to every other. limits: as there.
    """
    tile = _finite(tile, "rows cols")
    low, high = _limits(tile, limits)
    colors = _colors(tile - low, high - low, colormap)
    page, place = _page_with_axes(tile.shape, title, caption, theme)
    axes = page.picture(colors, tile.shape, place, query)
    number_axes(axes, page.theme, ("patch row", "patch column"), place)
    page.bar(_beside(place), colormap, (low, high), label)
    return page.figure


def _page_with_axes(shape: Sequence[int], title: str, caption: str, theme: str) -> tuple[Page, Place]:
    """A page for one picture with numbered rows and columns and a colour bar, and that picture's place."""
    width, height = _fit(shape, BODY - AXIS - BAR)
    page = Page(BODY, AXIS + height, title, caption, theme)
    return page, (page.centred(AXIS + width + BAR) + AXIS, AXIS, width, height)


def _beside(place: Place) -> Place:
    left, top, width, height = place
    return left + width + 0.16, top, 0.14, height


def depth_figure(
    values: np.ndarray,
    *,
    ylabel: str,
    selected: tuple[int, int] | None = None,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """One number a head by depth, as mean attention distance (Dosovitskiy et al. 2021, Figure 7, right).

    values: [layer, head], any unit, which `ylabel` names. A dot a head, a line through the layers' means.
    selected: (layer, head), in the accent colour with its value.
    """
    values = _finite(values, "layer head")
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
    axes.set_xlim(-0.5, layers - 0.5 + 0.07 * layers)
    axes.margins(y=0.1)
    if values.min() >= 0:
        axes.set_ylim(0, 1.1 * (values.max() or 1))
    axes.xaxis.set_major_locator(FixedLocator(spaced(layers, width / layers)))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="y", color=look.line, linewidth=0.8)
    axes.spines["bottom"].set(visible=True, color=look.line)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=look.quiet, pad=5)
    axes.set_xlabel("layer", fontsize=LABEL, color=look.ink, labelpad=3)
    axes.set_ylabel(ylabel, fontsize=LABEL, color=look.ink, rotation=0, ha="left", va="bottom", parse_math=False)
    axes.yaxis.set_label_coords(-left / width, 1.03)
    return page.figure


def filters_figure(filters: np.ndarray, *, title: str = "", caption: str = "", theme: str = "light") -> Figure:
    """Patch-embedding filters as coloured tiles (Dosovitskiy et al. 2021, Figure 7, left).

    filters: [n, height, width, 3] in 0..1, drawn as they are.
    """
    filters = _finite(filters, "n height width rgb")
    if filters.shape[3] != 3 or filters.min() < 0 or filters.max() > 1:
        raise ValueError(
            f"The filters have shape {list(filters.shape)} and values from {number(filters.min())} to "
            f"{number(filters.max())}, but [n, height, width, 3] in 0..1 was expected."
        )
    across = min(len(filters), 7)
    down = -(-len(filters) // across)
    width = min(BODY, across * 1.1)
    height = down * width / across * _ratio(filters.shape[1:3])
    page = Page(BODY, height, title, caption, theme)
    paper = np.array(to_rgb(page.theme.paper))
    tiles = np.full((down * across, *filters.shape[1:]), paper, np.float32)
    tiles[: len(filters)] = filters
    pixels = np.rint(tiles * 255).astype(np.uint8).reshape(down, across, *filters.shape[1:])
    mosaic = _mosaic(pixels, page.theme.paper, width / across)
    page.picture(mosaic, (down, across), (page.centred(width), 0, width, height))
    return page.figure


def probabilities_figure(
    names: Sequence[str],
    probabilities: np.ndarray,
    *,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """Classes with their probabilities as horizontal bars, in the order given.

    names: one a class; long ones are shortened. probabilities: [class] in 0..1; a bar's whole track is 1.
    """
    values = _finite(probabilities, "class")
    if len(names) != len(values):
        raise ValueError(f"There are {len(names)} names for {len(values)} probabilities, but one each was expected.")
    if values.min() < 0 or values.max() > 1 + 1e-5:
        raise ValueError(
            f"Probabilities in 0..1 were expected, but they run from {values.min():g} to {values.max():g}."
        )
    names = [shorten(str(name), 0.42 * BODY, LABEL) for name in names]
    left = max(text_width(name, LABEL) for name in names) + 0.15
    width, step = BODY - left - 0.75, 0.36
    page = Page(BODY, step * len(values), title, caption, theme)
    axes = page.axes((left, 0, width, step * len(values)), "plot")
    place = np.arange(len(values))
    axes.barh(place, np.ones(len(values)), height=0.6, color=page.theme.line, alpha=0.5)
    axes.barh(place, values, height=0.6, color=page.theme.mark)
    axes.set(xlim=(0, 1), ylim=(len(values) - 0.5, -0.5), xticks=[], yticks=[])
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        y = step * (index + 0.5)
        share = "< 0.1 %" if 0 < value < 0.001 else f"{100 * value:.1f} %"
        page.text(left - 0.12, y, name, LABEL, ha="right")
        page.text(BODY, y, share, LABEL, ha="right")
    return page.figure


# --- files --------------------------------------------------------------------------------------------------


def figure_bytes(figure: Figure, format: str = "png", dpi: int = 160) -> bytes:
    """The figure as a PNG, SVG or PDF file, without dates and random names: same figure, same bytes."""
    dates = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    if format not in dates:
        raise ValueError(f"The format is {format!r}, but one of {', '.join(dates)} was expected.")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format, dpi=dpi, metadata=dates[format], facecolor=figure.get_facecolor())
    return _named_in_order(buffer.getvalue()) if format == "svg" else buffer.getvalue()


def _named_in_order(svg: bytes) -> bytes:
    """Matplotlib salts an SVG's element names at random; count them instead."""
    names: dict[bytes, bytes] = {}
    for name in re.findall(rb'id="(\w*?[0-9a-f]{10})"', svg):
        names.setdefault(name, b"id-%d" % len(names))
    if not names:
        return svg
    return re.sub(rb"(?<=[\"#])(" + b"|".join(names) + rb")(?=[\")])", lambda found: names[found[1]], svg)


# --- arrays -------------------------------------------------------------------------------------------------


def _pixels(image: np.ndarray | Image.Image) -> np.ndarray:
    if isinstance(image, Image.Image):
        return np.asarray(image.convert("RGB"))
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            f"The image is an array of shape {list(image.shape)} and type {image.dtype}, "
            "but uint8 [H, W, 3] or a PIL image was expected."
        )
    return image


def _finite(values: np.ndarray, axes: str) -> np.ndarray:
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


def _heat(values: np.ndarray, axes: str) -> np.ndarray:
    values = _finite(values, axes)
    if values.min() < 0:
        raise ValueError(f"Got values down to {values.min():g}, but raw non-negative attention was expected.")
    return values


def _top(heat: np.ndarray, vmax: float | None) -> float:
    """The value of the last colour; 1 for a map of zeros."""
    if vmax is not None and not 0 <= vmax < np.inf:
        raise ValueError(f"vmax is {vmax}, but a number from 0 up was expected.")
    return float(heat.max() if vmax is None else vmax) or 1.0


def _limits(values: np.ndarray, limits: tuple[float, float] | None) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if limits is None else limits
    if limits is not None and not low < high:
        raise ValueError(f"The limits are {limits}, but (lower, upper) was expected.")
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def _colors(values: np.ndarray, top: float, colormap: str) -> np.ndarray:
    """uint8 [..., 3]: the colours of values in 0..top."""
    return find_colormap(colormap)(values / top, bytes=True)[..., :3]


def _ratio(shape: Sequence[int]) -> float:
    """Height over width, kept between 1:8 and 8:1 so that no picture becomes a line."""
    return float(np.clip(shape[0] / shape[1], 1 / 8, 8))


def _fit(shape: Sequence[int], side: float = BODY - BAR) -> tuple[float, float]:
    """Width and height in inches of a picture whose longer side is `side`."""
    ratio = _ratio(shape)
    return (side, side * ratio) if ratio <= 1 else (side / ratio, side)


def _printable(picture: np.ndarray, inches: float) -> np.ndarray:
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


def _mosaic(tiles: np.ndarray, paper: str, inches: float) -> np.ndarray:
    """[down, across, rows, cols, 3] -> one picture [H, W, 3]: equal tiles with gaps of paper around each.

    Each tile is enlarged by a whole factor to about what a print of `inches` a tile can show.
    """
    down, across, rows, cols, _ = tiles.shape
    factor = max(1, round(inches * 200 / cols))
    tiles = tiles.repeat(factor, 2).repeat(factor, 3)
    gap = max(1, round(0.03 * factor * min(rows, cols)))
    color = np.rint(255 * np.array(to_rgb(paper))).astype(np.uint8)
    framed = np.pad(tiles, ((0, 0), (0, 0), (gap, gap), (gap, gap), (0, 0)))
    framed[:, :, :gap] = framed[:, :, -gap:] = framed[:, :, :, :gap] = framed[:, :, :, -gap:] = color
    return framed.transpose(0, 2, 1, 3, 4).reshape(down * framed.shape[2], across * framed.shape[3], 3)
