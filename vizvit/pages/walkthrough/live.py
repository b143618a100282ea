"""The walk's parts that live in the browser: each with a script of its own and the theme's colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vizvit.explorer.assets import joined

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Part:
    """html: what its script fills. script, styles: files of this folder."""

    name: str
    html: str
    script: str
    styles: tuple[str, ...]

    @cached_property
    def css(self) -> str:
        return "".join((_HERE / file).read_text("utf-8") for file in self.styles)

    @cached_property
    def js(self) -> str:
        """One module, whose default export draws {data, parentElement, setTriggerValue}, again when data changes."""
        return joined(_HERE / self.script)


DRAWING = Part(
    "drawing",
    '<div class="vw"><div class="vw-body"></div><div class="vw-tip" hidden></div></div>',
    "drawing.js",
    ("style.css",),
)
