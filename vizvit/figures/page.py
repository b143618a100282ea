"""The page that every figure is drawn on: themes, sizes in inches, text that fits, pictures, colour bars."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from vizvit.numbers import number

ACCENT = "#d81b60"

BODY = 6.6  # inches: the width of a figure without its margins
MARGIN = 0.22
AXIS = 0.55  # beside a picture whose rows or columns are numbered
BAR = 1.0  # a vertical colour bar with its numbers and label
STRIP = 0.6  # a horizontal one
TITLE, LABEL, SMALL = 15, 11.5, 10.5  # points
LEADING = 1.4

Patch = tuple[int, int]  # (row, col), counted from 0
Area = tuple[int, int, int, int]  # (top, left, bottom, right) in patches, inclusive
Place = tuple[float, float, float, float]  # (left, top, width, height) in inches from a body's upper left corner


@dataclass(frozen=True)
class Theme:
    paper: str
    ink: str
    quiet: str
    line: str
    mark: str


THEMES = {
    "light": Theme(paper="#ffffff", ink="#1b1f24", quiet="#57606a", line="#d8dee4", mark="#3d6fa5"),
    "dark": Theme(paper="#0e1117", ink="#f2f4f8", quiet="#a9b1bd", line="#30363d", mark="#79aede"),
}


class Shown(Figure):
    """A figure that a notebook shows at the end of a cell, though pyplot does not know it."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110, facecolor=self.get_facecolor())
        return buffer.getvalue()


class Page:
    """A figure with a title on top, a body of at least `width` by `height` inches, and a caption below."""

    def __init__(self, width: float, height: float, title: str, caption: str, theme: str) -> None:
        if theme not in THEMES:
            raise ValueError(f"The theme is {theme!r}, but one of {', '.join(THEMES)} was expected.")
        self.theme = THEMES[theme]
        self.width = max(width, BODY)
        head, foot = wrap(title, self.width, TITLE, "bold"), wrap(caption, self.width, SMALL)
        above = len(head) * TITLE * LEADING / 72 + 0.14 if head else 0
        below = len(foot) * SMALL * LEADING / 72 + 0.2 if foot else 0
        self.top = MARGIN + above
        self.size = (self.width + 2 * MARGIN, self.top + height + below + MARGIN)
        self.figure = Shown(self.size, facecolor=self.theme.paper, layout="none")
        for index, line in enumerate(head):
            self.text(0, index * TITLE * LEADING / 72 - above, line, TITLE, weight="bold", va="top")
        for index, line in enumerate(foot):
            self.text(0, height + 0.2 + index * SMALL * LEADING / 72, line, SMALL, quiet=True, va="top")

    def centred(self, width: float) -> float:
        return (self.width - width) / 2

    def text(
        self, x: float, y: float, words: str, size: float, quiet: bool = False, va: str = "center", **options
    ) -> None:
        at = (MARGIN + x) / self.size[0], 1 - (self.top + y) / self.size[1]
        color = self.theme.quiet if quiet else self.theme.ink
        self.figure.text(*at, words, fontsize=size, color=color, va=va, parse_math=False, **options)

    def axes(self, place: Place, label: str) -> Axes:
        (left, top, width, height), (across, down) = place, self.size
        box = (MARGIN + left) / across, 1 - (self.top + top + height) / down, width / across, height / down
        axes = self.figure.add_axes(box, label=label, facecolor="none")
        axes.spines[:].set_visible(False)
        return axes

    def picture(self, pixels: np.ndarray, grid: tuple[int, int], place: Place, query: Patch | None = None) -> Axes:
        """uint8 [H, W, 3] on axes that count in patches (rows, cols), with the query outlined."""
        rows, cols = grid
        if query is not None and not (0 <= query[0] < rows and 0 <= query[1] < cols):
            raise ValueError(f"There is no patch {tuple(query)}: the grid has {rows} rows and {cols} columns.")
        axes = self.axes(place, "picture")
        axes.imshow(pixels, extent=(0, cols, rows, 0), aspect="auto")
        axes.set(xticks=[], yticks=[], xlim=(0, cols), ylim=(rows, 0))
        if query is not None:
            outline(axes, (*query, *query), 72 * place[2] / cols, 72 * place[3] / rows)
        return axes

    def bar(self, place: Place, cmap: str, limits: tuple[float, float], label: str) -> Axes:
        """A colour bar with the values that its colours stand for, vertical where it is higher than wide."""
        low, high = limits
        vertical = place[3] > place[2]
        axes = self.axes(place, "colour bar")
        bar = self.figure.colorbar(
            ScalarMappable(Normalize(low, high), find_colormap(cmap)),
            cax=axes,
            orientation="vertical" if vertical else "horizontal",
            ticks=FixedLocator(ticks(low, high, 0.3 / place[3] if vertical else 0.6 / place[2])),
            format=FuncFormatter(lambda value, _: number(value)),
        )
        bar.outline.set_visible(False)
        bar.minorlocator = NullLocator()
        axes.tick_params(length=0, labelsize=SMALL, labelcolor=self.theme.quiet, pad=4)
        if vertical:
            bar.set_label(label, fontsize=LABEL, color=self.theme.ink, labelpad=7, parse_math=False)
        return axes

    def strip(self, top: float, cmap: str, vmax: float, label: str, own: str | None) -> None:
        """A horizontal colour bar below many maps; `own`: the kind of map of which each has its own scale."""
        middle, thick = top + 0.3, 0.14
        left = text_width(label, LABEL) + 0.3
        self.text(0, middle, label, LABEL)
        if own is None:
            self.bar((left, middle - thick / 2, 3.0, thick), cmap, (0, vmax), label)
            return
        self.text(left, middle, "0", SMALL, quiet=True)
        axes = self.bar((left + 0.17, middle - thick / 2, 2.0, thick), cmap, (0, 1), label)
        axes.set_xticks([])
        self.text(left + 2.27, middle, f"greatest value of each {own}", SMALL, quiet=True)


def outline(axes: Axes, area: Area, width: float, height: float) -> None:
    """The accent colour around patches of `width` x `height` points each, outside them so that their value is seen."""
    thick = float(np.clip(min(width, height) / 9, 1.1, 2.6))
    aside, above = thick / 2 / width, thick / 2 / height
    top, left, bottom, right = area
    for color, line in (("white", thick + 1.2), (ACCENT, thick)):
        axes.add_patch(
            Rectangle(
                (left - aside, top - above),
                right + 1 - left + 2 * aside,
                bottom + 1 - top + 2 * above,
                fill=False,
                edgecolor=color,
                linewidth=line,
                joinstyle="miter",
                clip_on=False,
                zorder=4,
                label="query",
            )
        )


def number_axes(axes: Axes, theme: Theme, names: tuple[str, str], place: Place) -> None:
    """Number the rows down the left side and the columns along the top, from 0; names: of (rows, columns)."""
    cols, rows = (round(max(limits)) for limits in (axes.get_xlim(), axes.get_ylim()))
    down, across = spaced(rows, place[3] / rows), spaced(cols, place[2] / cols)
    axes.xaxis.set(ticks_position="top", label_position="top")
    axes.set_yticks(np.add(down, 0.5), down)
    axes.set_xticks(np.add(across, 0.5), across)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=theme.quiet, pad=3)
    axes.set_ylabel(names[0], fontsize=LABEL, color=theme.ink, labelpad=6)
    axes.set_xlabel(names[1], fontsize=LABEL, color=theme.ink, labelpad=6)


def spaced(count: int, inches: float) -> list[int]:
    """Which of `count` places, `inches` apart, to number so that the numbers keep their distance."""
    steps = (1, 2, 4, 5, 10, 20, 50, 100, 200, 500)
    step = next((step for step in steps if step * inches >= 0.26), count)
    return list(range(0, count, step))


def ticks(low: float, high: float, clear: float) -> list[float]:
    """Both ends of a colour bar, exactly, and round values at least the fraction `clear` away from them."""
    clear *= high - low
    between = MaxNLocator(4).tick_values(low, high)
    return [low, *(value for value in between if low + clear < value < high - clear), high]


def text_width(words: str, size: float, weight: str = "normal", faces: tuple[str, ...] | None = None) -> float:
    """How many inches a line of text takes; faces: of the letters, matplotlib's own where None."""
    generic = tuple(matplotlib.rcParams[f"font.{kind}"] for kind in ("sans-serif", "serif", "monospace"))
    return _inches(words, size, weight, faces or tuple(matplotlib.rcParams["font.family"]), str(generic))


@lru_cache(maxsize=4096)
def _inches(words: str, size: float, weight: str, faces: tuple[str, ...], generic: str) -> float:
    """generic: what the settings put in the place of a generic family, which only tells texts apart here."""
    font = FontProperties(size=size, weight=weight, family=list(faces))
    return RendererAgg(1, 1, 288).get_text_width_height_descent(words, font, ismath=False)[0] / 288


def wrap(text: str, inches: float, size: float, weight: str = "normal") -> list[str]:
    lines, gap = [], 0.45 * size / 72  # more than a space and the rims of two words
    for paragraph in text.splitlines():
        line, most = "", 0.0
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            most += text_width(word, size, weight) + gap
            if line and most > inches and text_width(longer, size, weight) > inches:
                lines.append(line)
                longer, most = word, text_width(word, size, weight)
            line = longer if most <= inches else shorten(longer, inches, size, weight)
        lines.append(line)
    return lines


def shorten(words: str, inches: float, size: float, weight: str = "normal") -> str:
    if text_width(words, size, weight) <= inches:
        return words
    while words and text_width(words + "…", size, weight) > inches:
        words = words[:-1]
    return words.rstrip() + "…"


def find_colormap(name: str) -> Colormap:
    if name not in matplotlib.colormaps:
        raise ValueError(f"There is no colour map {name!r}; viridis, magma and cividis are some.")
    return matplotlib.colormaps[name]
