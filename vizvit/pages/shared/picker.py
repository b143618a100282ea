"""A picture whose grid cells can be chosen by click or keyboard."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vizvit.explorer.assets import joined
from vizvit.pages.shared.pixels import png_url

_HERE = Path(__file__).parent
_HTML = """
<div class="picker" tabindex="0" role="application">
  <div class="stage">
    <img class="image" draggable="false"><div class="hover" hidden></div><div class="chosen"></div>
  </div>
  <div class="words" aria-live="polite"></div>
</div>
"""
_mounted = None


def pick(
    image: bytes, rows: int, cols: int, *, start: tuple[int, int], words: str, alt: str, key: str
) -> tuple[int, int]:
    """Show a PNG cut into rows x cols cells and return the chosen cell, (row, col).

    words: what is said of the cell under the pointer, with {row} and {col}.
    """
    global _mounted
    if _mounted is None:
        _mounted = st.components.v2.component(
            "vizvit_picker",
            html=_HTML,
            css=(_HERE / "picker.css").read_text("utf-8"),
            js=joined(_HERE / "picker.js"),
        )
    cell = (st.session_state.get(key) or {}).get("cell") or list(start)
    if cell[0] >= rows or cell[1] >= cols:  # chosen on another model's grid
        cell = list(start)
    data = {"image": png_url(image), "rows": rows, "cols": cols, "cell": cell, "words": words, "alt": alt}
    _mounted(key=key, data=data, on_cell_change=lambda: None)
    return int(cell[0]), int(cell[1])
