"""Maps over a picture: as pixels for the screen, as figures for a lecture or a paper, and as files."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vizvit.figures.blend import blended
from vizvit.figures.page import BAR, BODY, LABEL, SMALL, STRIP, Page, Patch, find_colormap, shorten
from vizvit.figures.raster import (
    ATTENTION_CMAP,
    as_colors,
    as_heat,
    as_pixels,
    fitted,
    place_beside,
    printable,
    ratio_of,
    top_value,
)
from vizvit.figures.scale import between, ends
from vizvit.numbers import number

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
    blend: str = "veil",
) -> np.ndarray:
    """Blend a map over a picture -> uint8 [H, W, 3].

    image: uint8 [H, W, 3], or a PIL image. heat: [rows, cols], raw non-negative values.

    The colour map runs from `low` (0) to `high` (the map's greatest value, or 1.5 times its mean where that is more, so
    that what is nearly even looks even; `vmax` is another name for it), beyond which values take the end colours; a map
    of zeros takes the first. With `log` it runs over the logarithm, and
    the limits not given are those of `limits(heat, log=True)`. Each patch covers exactly the pixels whose centre lies
    in its part of the picture; `smooth` interpolates between patch centres instead (bicubic): pleasant, but with
    detail that the model does not have.

    blend: "veil", (1 - opacity) · picture + opacity · colour for every pixel; "fade", the same with √opacity · v, where
    v is the value's place between the limits, 0 to 1, over a dimmed picture, as the explorer begins; "light", the
    picture itself, as bright as 1 - opacity · (1 - v), without colours.

    Raises ValueError for another shape, values that are negative or not finite, an opacity outside 0..1, limits
    out of order, an unknown colour map or blend.
    """
    picture, heat = as_pixels(image), as_heat(heat, "rows cols")
    if not 0 <= opacity <= 1:
        raise ValueError(f"The opacity is {opacity}, but 0 (only the picture) to 1 (only the map) was expected.")
    height, width = picture.shape[:2]
    if vmax is not None and high is not None:
        raise ValueError(f"vmax is {vmax} and high is {high}, but they are one thing: give one of them.")
    run = ends(heat, low, vmax if high is None else high, log)
    cmap = find_colormap(colormap)
    if smooth:
        full = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
        place = between(np.clip(full, 0, heat.max()), *run, log)
        color = cmap(place)[..., :3]
    else:
        down, across = _patch_of(height, heat.shape[0]), _patch_of(width, heat.shape[1])
        place = between(heat, *run, log)  # [rows, cols]
        color = cmap(place)[..., :3].astype(np.float32)[down][:, across]
        place = place[down][:, across]
    return np.rint(blended(picture, np.clip(place, 0, 1), color, opacity, blend)).astype(np.uint8)


def _patch_of(pixels: int, patches: int) -> np.ndarray:
    """[pixels]: along one side, the patch in which each pixel's centre lies."""
    return (2 * np.arange(pixels) + 1) * patches // (2 * pixels)


# --- figures over a picture ---------------------------------------------------------------------------------


def overlay_figure(
    image: np.ndarray | Image.Image,
    heat: np.ndarray,
    *,
    query: Patch | None = None,
    smooth: bool = False,
    opacity: float = 0.6,
    blend: str = "fade",
    title: str = "",
    caption: str = "",
    label: str = "attention",
    vmax: float | None = None,
    theme: str = "light",
) -> Figure:
    """A map [rows, cols] over a picture, as `overlay`, with a colour bar between its limits.

    blend, opacity: as in `overlay`.
    """
    picture, heat = as_pixels(image), as_heat(heat, "rows cols")
    width, height = fitted(picture.shape)
    page = Page(width + BAR, height, title, caption, theme)
    pixels = overlay(
        printable(picture, max(width, height)), heat, opacity=opacity, smooth=smooth, vmax=vmax, blend=blend
    )
    place = (page.centred(width + BAR), 0, width, height)
    page.picture(pixels, heat.shape, place, query)
    label = f"{label}, smoothed" if smooth else label
    page.bar(place_beside(place), ATTENTION_CMAP, (0, top_value(heat, vmax)), label)
    return page.figure


def heads_figure(
    maps: np.ndarray,
    *,
    image: np.ndarray | Image.Image | None = None,
    query: Patch | None = None,
    titles: Sequence[str] | None = None,
    shared_scale: bool = False,
    opacity: float = 0.6,
    blend: str = "fade",
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
    maps = as_heat(maps, "head rows cols")
    titles = [f"head {head}" for head in range(len(maps))] if titles is None else titles
    return _small_multiples(maps, image, query, titles, shared_scale, opacity, blend, title, caption, label, theme)


def steps_figure(
    image: np.ndarray | Image.Image,
    maps: np.ndarray,
    *,
    query: Patch | None = None,
    titles: Sequence[str] | None = None,
    shared_scale: bool = False,
    opacity: float = 0.6,
    blend: str = "fade",
    title: str = "",
    caption: str = "",
    label: str = "attention",
    theme: str = "light",
) -> Figure:
    """A chain of maps over the same picture, such as a rollout that grows layer by layer.

    maps: [step, rows, cols]. titles: one a step, "layer 0" on if not given. Scales as in `heads_figure`.
    """
    maps = as_heat(maps, "step rows cols")
    titles = [f"layer {step}" for step in range(len(maps))] if titles is None else titles
    return _small_multiples(maps, image, query, titles, shared_scale, opacity, blend, title, caption, label, theme)


def _small_multiples(
    maps: np.ndarray,
    image: np.ndarray | Image.Image | None,
    query: Patch | None,
    titles: Sequence[str],
    shared_scale: bool,
    opacity: float,
    blend: str,
    title: str,
    caption: str,
    label: str,
    theme: str,
) -> Figure:
    if len(titles) != len(maps):
        raise ValueError(f"There are {len(titles)} titles for {len(maps)} maps, but one a map was expected.")
    count, rows, cols = maps.shape
    across = _across(count)
    down = -(-count // across)
    gap, head, foot = 0.12, 0.26, 0.1 if shared_scale else 0.3
    width = min((BODY - (across - 1) * gap) / across, 2.6)
    picture = None if image is None else as_pixels(image)
    height = width * ratio_of((rows, cols) if picture is None else picture.shape)
    top = top_value(maps, None)
    step = head + height + foot
    page = Page(BODY, down * step + STRIP, title, caption, theme)
    left = page.centred(across * (width + gap) - gap)
    if picture is not None:
        picture = printable(picture, max(width, height))
    for index, heat in enumerate(maps):
        x, y = left + index % across * (width + gap), index // across * step + head
        own = top if shared_scale else top_value(heat, None)
        if picture is None:
            pixels = as_colors(heat, own, ATTENTION_CMAP)
        else:
            pixels = overlay(picture, heat, opacity=opacity, vmax=own, blend=blend)
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


# --- files --------------------------------------------------------------------------------------------------


def figure_bytes(figure: Figure, format: str = "png", dpi: int = 160) -> bytes:
    """The figure as a PNG, SVG or PDF file, without dates and random names: same figure, same bytes."""
    dates = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    if format not in dates:
        raise ValueError(f"The format is {format!r}, but one of {', '.join(dates)} was expected.")
    buffer = io.BytesIO()
    options: dict = {"pil_kwargs": {"compress_level": 4}} if format == "png" else {}  # half the time of 6, 7 % larger
    figure.savefig(buffer, format=format, dpi=dpi, metadata=dates[format], facecolor=figure.get_facecolor(), **options)
    return _named_in_order(buffer.getvalue()) if format == "svg" else buffer.getvalue()


def _named_in_order(svg: bytes) -> bytes:
    """Matplotlib salts an SVG's element names at random; count them instead."""
    names: dict[bytes, bytes] = {}
    for name in re.findall(rb'id="(\w*?[0-9a-f]{10})"', svg):
        names.setdefault(name, b"id-%d" % len(names))
    if not names:
        return svg
    return re.sub(rb"(?<=[\"#])(" + b"|".join(names) + rb")(?=[\")])", lambda found: names[found[1]], svg)
