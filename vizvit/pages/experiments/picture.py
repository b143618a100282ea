"""The model's view of the picture, to switch patches on."""

from __future__ import annotations

import numpy as np

from vizvit.forward.capture import Capture
from vizvit.pages.experiments import cells
from vizvit.pages.shared.language import say
from vizvit.pages.shared.pixels import enlarged, png

WIDEST = 360


def patches(cap: Capture, key: str, *, state: str, most: int | None = None) -> tuple[cells.Cell, ...]:
    """The patches that are on, (row, col), in the order of switching. state: what is said of one that is on."""
    t, grid = say("experiments"), cap.grid
    return cells.toggle(
        gridded(cap.view, grid.rows, grid.cols),
        grid.rows,
        grid.cols,
        words={"cell": t["patch"], "on": state, "hint": t["patches_hint"], "label": "", "label_on": ""},
        alt=t["patches_alt"].format(rows=grid.rows, cols=grid.cols),
        key=key,
        most=most,
        widest=WIDEST,
    )


def gridded(view: np.ndarray, rows: int, cols: int, side: int = 720) -> bytes:
    """A PNG of the view, enlarged, with thin lines between patches."""
    large = enlarged(view, side)
    height, width = large.shape[:2]
    for line in range(1, rows):
        _lighten(large[line * height // rows])
    for line in range(1, cols):
        _lighten(large[:, line * width // cols])
    return png(large)


def _lighten(pixels: np.ndarray) -> None:
    pixels[:] = pixels // 2 + 128
