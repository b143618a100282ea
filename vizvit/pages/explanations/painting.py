"""Maps as pixels: each over the picture, on its own scale or all on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from vizvit.figures import ATTENTION_CMAP, SIGNED_CMAP, overlay
from vizvit.figures.page import BODY, LABEL, SMALL, Page, shorten
from vizvit.numbers import number
from vizvit.pages.shared.pixels import enlarged

SIDE = 448  # pixels of a map on the screen, about
OPACITY = 0.65


def shares(heat: np.ndarray) -> np.ndarray:
    """A map divided by the sum of its absolute values: comparable between methods of different units."""
    total = float(np.abs(heat).sum())
    return heat / total if total else heat


def most(heat: np.ndarray) -> float:
    """The greatest absolute value."""
    return float(np.abs(heat).max())


def colours_of(signed: bool) -> str:
    return SIGNED_CMAP if signed else ATTENTION_CMAP


def painted(view: np.ndarray, heat: np.ndarray | None, top: float, signed: bool) -> np.ndarray:
    """The view enlarged, uint8 [H, W, 3], with a map over it: coloured from 0 to `top`, a signed one from -top."""
    large = enlarged(view, SIDE)
    if heat is None:
        return large
    scaled = heat / (top or 1.0)
    scaled = np.clip(scaled / 2 + 0.5 if signed else scaled, 0, 1)
    blend = "veil" if signed else "fade"  # where signs are, nothing lies in the middle, not at the end
    return overlay(large, scaled, colormap=colours_of(signed), opacity=OPACITY, low=0.0, high=1.0, blend=blend)


@dataclass(frozen=True, eq=False)
class Painting:
    """A map with its title; top and signed as `painted` takes them."""

    title: str
    heat: np.ndarray
    top: float
    signed: bool


def figure(view: np.ndarray, maps: Sequence[Painting], *, title: str, caption: str) -> Figure:
    """All maps beside each other for print."""
    across, gap, head, foot = min(4, len(maps)), 0.12, 0.26, 0.3
    width = min((BODY - (across - 1) * gap) / across, 2.6)
    height = width * view.shape[0] / view.shape[1]
    step = head + height + foot
    page = Page(BODY, -(-len(maps) // across) * step, title, caption, "light")
    for index, one in enumerate(maps):
        x, y = index % across * (width + gap), index // across * step + head
        page.picture(painted(view, one.heat, one.top, one.signed), one.heat.shape, (x, y, width, height))
        page.text(x, y - 0.07, shorten(one.title, width, LABEL), LABEL, va="bottom")
        run = f"{number(-one.top)} … {number(one.top)}" if one.signed else f"0 … {number(one.top)}"
        page.text(x, y + height + 0.06, run, SMALL, quiet=True, va="top")
    return page.figure
