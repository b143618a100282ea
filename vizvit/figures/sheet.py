"""A sheet of A4 paper: places in inches, text that is wrapped and has the letters of its language."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from vizvit.figures.page import THEMES, Place, text_width

A4 = (8.27, 11.69)  # inches
MARGIN = 0.6
LINE = 1.35 / 72  # inches of a line of text for each point of its size

# Lines may break at blanks and beside Japanese characters, but not before closing punctuation or small kana.
_UNITS = re.compile(
    r"[\u3001-\u9fff\uff00-\uffef][、。，．・：；？！）」』】〕ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ]*"
    r"|[^\s\u3001-\u9fff\uff00-\uffef]+|\s+"
)


class Sheet:
    """A4 paper on which places are in inches from the upper left corner within the margins."""

    def __init__(self, language: str) -> None:
        self.theme, self.faces = THEMES["light"], typefaces(language)
        self.strong = "bold" if len(self.faces) == 1 else "normal"  # the Japanese typeface has one weight
        self.figure = Figure(A4, facecolor=self.theme.paper, layout="none")

    def axes(self, place: Place, label: str) -> Axes:
        left, top, width, height = place
        box = (MARGIN + left) / A4[0], 1 - (MARGIN + top + height) / A4[1], width / A4[0], height / A4[1]
        axes = self.figure.add_axes(box, label=label, facecolor="none")
        axes.set_axis_off()
        return axes

    def picture(self, place: Place, pixels: np.ndarray, grid: tuple[int, int]) -> Axes:
        """uint8 [H, W, 3] on axes that count in patches."""
        axes, (rows, cols) = self.axes(place, "picture"), grid
        axes.imshow(pixels, extent=(0, cols, rows, 0), aspect="auto")
        axes.set(xlim=(0, cols), ylim=(rows, 0))
        return axes

    def text(self, x: float, y: float, words: str, size: float, color: str | None = None, **options) -> None:
        """One line, its upper edge at y."""
        at = (MARGIN + x) / A4[0], 1 - (MARGIN + y) / A4[1]
        look = {"fontsize": size, "color": color or self.theme.ink, "family": self.faces, "va": "top"}
        self.figure.text(*at, words, **look | options, parse_math=False)

    def paragraph(self, x: float, y: float, width: float, words: str, size: float, **options) -> float:
        """Text wrapped to a width; returns where it ends."""
        for line in self.wrap(words, width, size, options.get("weight", "normal")):
            self.text(x, y, line, size, **options)
            y += size * LINE
        return y

    def measure(self, words: str, size: float) -> float:
        """Inches of one line."""
        return text_width(words, size, "normal", tuple(self.faces))

    def wrap(self, words: str, width: float, size: float, weight: str = "normal") -> list[str]:
        return list(_wrapped(words, width, size, weight, tuple(self.faces)))


@lru_cache(maxsize=256)  # a page is laid out by trying many sizes of its pictures, with the same texts below
def _wrapped(words: str, width: float, size: float, weight: str, faces: tuple[str, ...]) -> tuple[str, ...]:
    def fits(text: str) -> bool:
        return text_width(text, size, weight, faces) <= width

    lines, line = [], ""
    for unit in _UNITS.findall(words):
        if line and not fits((line + unit).rstrip()):
            lines.append(line.rstrip())
            line = ""
        line = line + unit if line or not unit.isspace() else ""
        while not fits(line.rstrip()) and len(line) > 1:  # one word wider than the page
            fitting = next(n for n in range(len(line) - 1, 0, -1) if n == 1 or fits(line[:n]))
            lines.append(line[:fitting])
            line = line[fitting:]
    return (*lines, line.rstrip()) if line.strip() or not lines else tuple(lines)


def typefaces(language: str) -> list[str]:
    """The families to draw a language's text with, each for the letters that those before it lack."""
    families = ["DejaVu Sans"]
    if language == "ja":
        families.append(_japanese())
    return families


@lru_cache(maxsize=1)
def _japanese() -> str:
    """Makes IPAexGothic known to matplotlib by its file: importing its package would change all figures' settings."""
    file = Path(find_spec("matplotlib_fontja").submodule_search_locations[0]) / "fonts" / "ipaexg.ttf"
    fontManager.addfont(file)
    return next(face.name for face in fontManager.ttflist if Path(face.fname) == file)
