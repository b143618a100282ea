"""A picture whose grid cells are switched on and off: patches of a photograph, heads of a model.

    chosen = cells.toggle(png, rows, cols, words=…, alt=…, key="mask")

A click or Enter switches a cell, a mouse that is dragged paints, arrow keys walk. Labels above the columns are cells,
too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from vizvit.explorer.assets import joined
from vizvit.pages.shared.pixels import png_url
from vizvit.reading import whole

Cell = tuple[int, int]
MOST = 200  # of so many cells a link speaks
LABEL = -1  # the row of the labels above the columns

_HERE = Path(__file__).parent
_HTML = """
<div class="cells">
  <div class="stage"><img class="image" alt="" draggable="false"><div class="grid" role="grid" tabindex="0"
    aria-multiselectable="true"></div></div>
  <div class="words" aria-live="polite"></div>
</div>
"""
_mounted = None


def toggle(
    image: bytes,
    rows: int,
    cols: int,
    *,
    words: Mapping[str, str],
    alt: str,
    key: str,
    labels: Sequence[str] = (),
    most: int | None = None,
    widest: int = 420,
) -> tuple[Cell, ...]:
    """Show a PNG cut into rows x cols cells; returns those that are on as (row, col), in the order of switching.

    words: what is said of a cell, "cell" and, where it is on, "on", with {row} and {col}; of a label, "label" and
    "label_on"; and "hint" while nothing is pointed at. labels: what stands above the columns; one that is on is
    (LABEL, col). most: how many cells at most; one more lets go of the first. widest: the picture's width at most, in
    pixels. Cells are kept in the session under the key and the grid, so that another model has its own.
    """
    global _mounted
    if _mounted is None:
        _mounted = st.components.v2.component(
            "vizvit_cells",
            html=_HTML,
            css=(_HERE / "cells.css").read_text("utf-8"),
            js=joined(_HERE / "cells.js"),
        )
    kept = _kept(key, rows, cols)
    _linked(kept, key, rows, cols, bool(labels))
    data = {
        "image": png_url(image),
        "rows": rows,
        "cols": cols,
        "cells": kept["cells"],
        "turn": kept["turn"],
        "labels": list(labels),
        "most": most,
        "widest": widest,
        "words": dict(words),
        "alt": alt,
    }
    mount_key = f"{key}_{rows}x{cols}"
    _mounted(key=mount_key, data=data, on_settled_change=_taker(mount_key, kept))
    return tuple((int(row), int(col)) for row, col in kept["cells"])


def written(chosen: Sequence[Cell], cols: int) -> str:
    """Cells as the address holds them: their numbers, row by row from the labels on; more than MOST are left out."""
    return ".".join(str((row + 1) * cols + col) for row, col in chosen) if len(chosen) <= MOST else ""


def _linked(kept: dict, key: str, rows: int, cols: int, labels: bool) -> None:
    """Switch on what a link says, once a session."""
    if kept.setdefault("linked", False):
        return
    kept["linked"] = True
    numbers = [whole(part, 0 if labels else cols, (rows + 1) * cols - 1) for part in _asked(key).split(".")[:MOST]]
    if not kept["cells"]:
        kept["cells"] = [[number // cols - 1, number % cols] for number in numbers if number is not None]


def _asked(key: str) -> str:
    return st.query_params.get(key.removeprefix("experiment_"), "")


def back(key: str, rows: int, cols: int, label: str) -> None:
    """A button that switches all cells of `toggle` with this key and grid off again."""
    kept = _kept(key, rows, cols)

    def clear() -> None:
        kept["cells"], kept["turn"] = [], kept["turn"] + 1

    st.button(label, key=f"{key}_back", disabled=not kept["cells"], on_click=clear, icon=":material/undo:")


def _kept(key: str, rows: int, cols: int) -> dict:
    return st.session_state.setdefault(f"{key}_kept_{rows}x{cols}", {"cells": [], "turn": 0})


def _taker(mount_key: str, kept: dict) -> Callable[[], None]:
    def take() -> None:
        settled = (st.session_state.get(mount_key) or {}).get("settled")
        if settled:
            kept["cells"], kept["turn"] = settled["cells"], settled["turn"]

    return take
