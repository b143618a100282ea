"""The explorer in a notebook's cell: the whole file in a frame of its own, which needs no server and no network."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from vizvit.errors import CaptureError
from vizvit.explorer.selection import CHOICES, SWITCHES
from vizvit.explorer.standalone import build
from vizvit.texts import LANGUAGES, words

HEIGHT = 900  # pixels


class Shown:
    """What `vizvit.show` gives: at the end of a cell, the explorer."""

    def __init__(self, page: str, height: int, title: str):
        self.page, self._height, self._title = page, height, title

    def __repr__(self) -> str:
        return f"Shown({self._title}, {len(self.page) / 1e6:.1f} MB of HTML)"

    def _repr_html_(self) -> str:
        # Scripts in a frame that is sandboxed without its parent's origin reach nothing of the notebook.
        return (
            f'<iframe sandbox="allow-scripts allow-downloads" title="{html.escape(self._title)}" '
            f'style="width: 100%; height: {self._height}px; border: 0" srcdoc="{html.escape(self.page)}"></iframe>'
        )


def show(
    cap: Any,
    *,
    layer: int = -1,
    head: int | None = None,
    query: Any = None,
    layers: Sequence[int] | str | None = None,
    height: int = HEIGHT,
    language: str = "en",
    title: str = "",
    caption: str = "",
    **view: Any,
) -> Shown:
    """The explorer over a capture in a notebook's cell.

    layer, head: where to start; without a head, the heads fused by `fuse`. query: "cls" or another prefix token's name,
    ("patch", row, col), an index, or the area (top, left, bottom, right) of patches. layers: the layers to hold, as in
    `vizvit.save_explorer`. height: of the frame, in pixels. language: "en" or "ja". title, caption: above and below.
    view: what the address says, by the same names: view, direction, fuse, scale, curve, colours, blend, rollout,
    smooth, grid_lines, true_pixels, opacity (0 to 1).
    Raises CaptureError for what there is not.
    """
    if not -cap.num_layers <= layer < cap.num_layers:
        raise CaptureError(f"There is no layer {layer}: the capture has layers 0 to {cap.num_layers - 1}.")
    if head is not None and not 0 <= head < cap.num_heads:
        raise CaptureError(f"There is no head {head}: each layer has heads 0 to {cap.num_heads - 1}.")
    if language not in LANGUAGES:
        raise CaptureError(f'The language is one of {", ".join(LANGUAGES)}; received "{language}".')
    if isinstance(height, bool) or not isinstance(height, int) or height < 1:
        raise CaptureError(f"The height is a whole number of pixels; received {height!r}.")
    _check(view)
    selection = view | {"layer": layer, "head": head}
    if isinstance(query, (tuple, list)) and len(query) == 4:
        selection["area"] = _area(cap, query)
    elif query is not None:
        selection["token"] = cap.token_index(query)
    grey = f". {words('sidebar', language)['grey']}" if cap.vit.channels == 1 else ""
    caption = caption or f"{cap.vit.weights}{grey}"
    page = build(cap, title=title, caption=caption, selection=selection, language=language, layers=layers)
    return Shown(page, height, title or cap.vit.name)


def _check(view: dict[str, Any]) -> None:
    for name, value in view.items():
        if name not in (*CHOICES, *SWITCHES, "opacity"):
            known = ", ".join((*CHOICES, *SWITCHES, "opacity"))
            raise CaptureError(f'The explorer has no option "{name}". Its options: {known}.')
        if name in CHOICES and value not in CHOICES[name]:
            raise CaptureError(f"{name} is one of {', '.join(CHOICES[name])}; received {value!r}.")
        if name in SWITCHES and not isinstance(value, bool):
            raise CaptureError(f"{name} is True or False; received {value!r}.")
        if name == "opacity" and not (isinstance(value, (int, float)) and 0 <= value <= 1):
            raise CaptureError(f"The opacity is a number from 0 to 1; received {value!r}.")


def _area(cap: Any, area: Sequence[int]) -> list[int]:
    top, left, bottom, right = area
    if not (0 <= top <= bottom < cap.grid.rows and 0 <= left <= right < cap.grid.cols):
        raise CaptureError(
            f"There is no area {tuple(area)}: it is (top, left, bottom, right), inclusive, within rows 0 to "
            f"{cap.grid.rows - 1} and columns 0 to {cap.grid.cols - 1}."
        )
    return [int(edge) for edge in area]
