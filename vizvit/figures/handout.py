"""One A4 page to print and hand out: the picture, the views that were kept of it, and ruled room for notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vizvit.figures.features import MARKED, over
from vizvit.figures.maps import overlay
from vizvit.figures.page import Area, Place, find_colormap, outline
from vizvit.figures.raster import ATTENTION_CMAP, as_finite, as_heat, as_pixels, printable, ratio_of
from vizvit.figures.scale import ends
from vizvit.figures.sheet import A4, LINE, MARGIN, Sheet
from vizvit.numbers import number

GAP = 0.3  # inches
TITLE, TEXT, CAPTION = 15, 10, 8.5  # points; nothing on the page is smaller than CAPTION
PICTURE = 2.1  # the longer side of the picture on top
NOTES, RULE = 1.6, 0.33  # the least room for notes; between its lines
LARGEST = 3.6  # the width of a panel
MOST, LINES = 6, 9  # panels, and lines of a caption


@dataclass(frozen=True)
class Panel:
    """One view: a map with what it is called and how it is coloured.

    heat: [rows, cols], raw. caption: layer, head, query, scaling, weights. outlined: the patches looked from, or at.
    low, high, log, colormap, opacity, blend, smooth: as in `overlay`. label: what the numbers are. colors: uint8
    [rows, cols, 3] of the patches, instead of those that the map would get; heat may then be of any sign, and `low` and
    `high` stand at the colour bar, which is left out where there is no colormap. marked: bool [rows, cols], patches
    with an outline, in the colour `edge`.
    """

    heat: np.ndarray
    caption: str
    outlined: Area | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    colormap: str = ATTENTION_CMAP
    opacity: float = 0.6
    blend: str = "fade"
    smooth: bool = False
    label: str = "attention"
    colors: np.ndarray | None = None
    marked: np.ndarray | None = None
    edge: str = MARKED


def handout(
    view: np.ndarray,
    panels: Sequence[Panel],
    *,
    title: str,
    lines: Sequence[str] = (),
    notes_title: str = "Notes",
    language: str = "en",
) -> Figure:
    """One A4 page, upright: the picture with its patches and `lines` beside it, one to six panels, room for notes.

    view: uint8 [H, W, 3], what the model sees. language: "ja" adds a Japanese typeface to matplotlib's own.
    Raises ValueError for another number of panels, maps of unequal grids, and all that `overlay` refuses.
    """
    view = as_pixels(view)
    if not 1 <= len(panels) <= MOST:
        raise ValueError(f"Got {len(panels)} views, but 1 to {MOST} were expected: no more fit on a page.")
    maps = [(as_heat if panel.colors is None else as_finite)(panel.heat, "rows cols") for panel in panels]
    if len({heat.shape for heat in maps}) > 1:
        raise ValueError("Got maps of unequal grids, but views of one picture were expected.")
    sheet = Sheet(language)
    width = A4[0] - 2 * MARGIN
    y = sheet.paragraph(0, 0, width, title, TITLE, weight=sheet.strong) + 0.15
    y += _head(sheet, y, width, view, maps[0].shape, lines) + 0.35
    y = _panels(sheet, y, width, view, panels)
    _notes(sheet, y + 0.15, width, notes_title)
    return sheet.figure


def _head(sheet: Sheet, y: float, width: float, view: np.ndarray, grid: tuple[int, int], lines: Sequence[str]) -> float:
    """The picture with its patch grid and the lines beside it; returns the height."""
    ratio = ratio_of(view.shape)
    across, down = PICTURE / max(ratio, 1), PICTURE * min(ratio, 1)
    axes = sheet.picture((0, y, across, down), printable(view, PICTURE), grid)
    rows, cols = grid
    ruled = {"color": "white", "linewidth": 0.5, "alpha": 0.8}
    axes.vlines(np.arange(1, cols), 0, rows, **ruled)
    axes.hlines(np.arange(1, rows), 0, cols, **ruled)
    below = y
    for line in lines:
        below = sheet.paragraph(across + GAP, below, width - across - GAP, line, TEXT) + 0.06
    return max(down, below - y)


def _panels(sheet: Sheet, y: float, width: float, view: np.ndarray, panels: Sequence[Panel]) -> float:
    """The panels in rows, as large as leaves room for notes; returns where they end."""
    ratio, room = ratio_of(view.shape), A4[1] - 2 * MARGIN - NOTES - y

    def height(columns: int, tile: float) -> float:
        rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
        return sum(max(tile * ratio + _below(sheet, panel, wide(columns)) for panel in row) for row in rows)

    def wide(columns: int) -> float:  # the text may be wider than a narrow picture above it
        return min((width - (columns - 1) * GAP) / columns, LARGEST if columns > 1 else width)

    def fits(columns: int, tile: float) -> bool:
        return height(columns, tile) <= room

    tiles = {
        columns: _largest(partial(fits, columns), min(wide(columns), LARGEST))
        for columns in range(1, min(len(panels), 3) + 1)
    }
    columns = max(tiles, key=lambda columns: (round(tiles[columns], 2), -height(columns, tiles[columns])))
    tile = tiles[columns]
    for first in range(0, len(panels), columns):
        row = panels[first : first + columns]
        for place, panel in enumerate(row):
            _panel(sheet, (place * (wide(columns) + GAP), y, tile, tile * ratio), panel, view, wide(columns))
        y += max(tile * ratio + _below(sheet, panel, wide(columns)) for panel in row)
    return y


def _largest(fits: Callable[[float], bool], most: float) -> float:
    """The largest size that fits, to a hundredth of an inch; never below a fifth of one."""
    sizes = np.arange(0.2, most + 1e-9, 0.01)
    return float(max((size for size in sizes if fits(size)), default=sizes[0]))


def _notes(sheet: Sheet, y: float, width: float, title: str) -> None:
    y = sheet.paragraph(0, y, width, title, TEXT, weight=sheet.strong)
    bottom = A4[1] - 2 * MARGIN
    lines = np.arange(y + RULE, bottom + 1e-6, RULE)
    axes = sheet.axes((0, y, width, bottom - y), "notes")
    axes.set(xlim=(0, 1), ylim=(bottom, y))
    axes.hlines(lines, 0, 1, color=sheet.theme.quiet, linewidth=0.6, alpha=0.6, clip_on=False)


def _below(sheet: Sheet, panel: Panel, width: float) -> float:
    """The height of what stands below a panel's picture: its colour bar and caption, and the gap to the next."""
    return 0.3 + len(_caption(sheet, panel, width)) * CAPTION * LINE + 0.22


def _caption(sheet: Sheet, panel: Panel, width: float) -> list[str]:
    lines = sheet.wrap(panel.caption, width, CAPTION)
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], lines[LINES - 1][:-2] + "…"]


def _panel(sheet: Sheet, place: Place, panel: Panel, view: np.ndarray, width: float) -> None:
    """A map over the picture; below it a colour bar with its numbers, and the caption."""
    left, top, across, down = place
    pixels, limits = _pixels(panel, printable(view, max(across, down)))
    axes = sheet.picture(place, pixels, panel.heat.shape)
    for row, col in np.argwhere(panel.marked) if panel.marked is not None else ():
        for color, thick in (("black", 2), (panel.edge, 1)):
            axes.add_patch(Rectangle((col, row), 1, 1, fill=False, edgecolor=color, linewidth=thick, label="marked"))
    if panel.outlined is not None:
        rows, cols = panel.heat.shape
        outline(axes, panel.outlined, 72 * across / cols, 72 * down / rows)
    y = top + down + 0.09
    _bar(sheet, (left, y, width), panel, limits)
    for index, line in enumerate(_caption(sheet, panel, width)):
        sheet.text(left, top + down + 0.3 + index * CAPTION * LINE, line, CAPTION)


def _pixels(panel: Panel, picture: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """A panel's map over the picture, and what its colours run between."""
    if panel.colors is not None:
        return over(picture, panel.colors, panel.opacity), (panel.low, panel.high)
    low, high = ends(panel.heat, panel.low, panel.high, panel.log)
    pixels = overlay(
        picture,
        panel.heat,
        colormap=panel.colormap,
        opacity=panel.opacity,
        blend=panel.blend,
        smooth=panel.smooth,
        low=low,
        high=high,
        log=panel.log,
    )
    return pixels, (low, high)


def _bar(sheet: Sheet, place: tuple[float, float, float], panel: Panel, limits: tuple[float, float]) -> None:
    """The colours between the numbers at their ends, and what they measure, at (left, top) within a width."""
    x, y, width = place
    if not panel.colormap:
        return sheet.text(x, y, panel.label, CAPTION, sheet.theme.quiet)
    low, high = (number(value) for value in limits)
    texts = sum(sheet.measure(words, CAPTION) + 0.06 for words in (low, high, panel.label))
    length = float(np.clip(width - texts - 0.06, 0.35, 1.1))
    ramp = find_colormap(panel.colormap)(np.linspace(0, 1, 256), bytes=True)[None, :, :3]
    sheet.text(x, y, low, CAPTION)
    x += sheet.measure(low, CAPTION) + 0.06
    sheet.axes((x, y + 0.025, length, 0.1), "colour bar").imshow(ramp, aspect="auto")
    sheet.text(x + length + 0.06, y, high, CAPTION)
    x += length + 0.12 + sheet.measure(high, CAPTION)
    sheet.text(x, y, panel.label, CAPTION, sheet.theme.quiet)
