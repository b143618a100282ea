"""The walk's parts that live in the browser: each with a script of its own and the theme's colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vizvit.explorer.assets import joined
from vizvit.explorer.page import inline

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

    @property
    def in_file(self) -> str:
        """As HTML of a file: a template, and a script in a scope of its own that is found as `vizvitParts.NAME`."""
        source = self.js.replace(
            "export default function", f"(globalThis.vizvitParts ??= {{}}).{self.name} = function", 1
        )
        template = f'<template data-part="{self.name}"><style>{self.css}</style>{self.html}</template>'
        return f'{template}<script type="module">\n{inline(source)}\n</script>\n'


def walk_style() -> str:
    """Of what stands around the parts in a file."""
    return (_HERE / "page.css").read_text("utf-8")


DRAWING = Part(
    "drawing",
    '<div class="vw"><div class="vw-body"></div><div class="vw-tip" hidden></div></div>',
    "drawing.js",
    ("style.css",),
)
BAR = Part(
    "bar",
    """
<nav class="bar">
  <div class="spine"><svg class="svg"></svg></div>
  <div class="go"><button class="back"></button>
    <div class="told"><h1 class="title"></h1><span class="shape"></span></div>
    <button class="next"></button></div>
</nav>
""",
    "bar.js",
    ("theme.css", "steer.css"),
)
_ROW = '<div class="row {part}_row"><div class="name"></div><div class="choices"></div></div>'
PLACE = Part(
    "place",
    f"""
<div class="place">
  <div class="photo" tabindex="0" role="application">
    <img class="image" draggable="false"><div class="cells"></div>
    <svg class="lines" preserveAspectRatio="none"><path vector-effect="non-scaling-stroke"></path></svg>
    <div class="mark chosen"></div><div class="mark under" hidden></div>
  </div>
  <div class="side">{"".join(_ROW.format(part=part) for part in ("token", "layer", "head"))}</div>
  <p class="hint found" hidden></p>
</div>
""",
    "place.js",
    ("theme.css", "steer.css"),
)
MEET = Part(
    "meet",
    """
<div class="meet">
  <div><div class="photo" tabindex="0" role="application">
    <img class="image" draggable="false" alt=""><canvas class="heat"></canvas>
    <svg class="threads" preserveAspectRatio="none"></svg>
    <div class="mark chosen"></div><div class="mark under"></div>
  </div><div class="below"><button class="follow"></button><div class="prefix"></div></div></div>
  <div class="pair">
    <p class="title" aria-live="polite"></p>
    <span class="name query_name"></span><svg class="query"></svg>
    <span class="name key_name"></span><svg class="strip"></svg>
    <span class="name sums_name"></span><svg class="sums"></svg>
    <p class="reading"></p>
  </div>
  <dl class="steps"></dl>
</div>
""",
    "meet.js",
    ("theme.css", "meet.css"),
)
_CASE = """
  <div class="case {name}"><span class="name"></span><svg class="scores"></svg><svg class="weights"></svg>
    <small class="deviation"></small><small class="largest"></small></div>
"""
SPREAD = Part(
    "spread",
    f"""
<div class="spread">
  <label><span></span><input type="range"><output></output><button></button></label>
  {_CASE.format(name="without")}{_CASE.format(name="with")}
</div>
""",
    "spread.js",
    ("theme.css", "meet.css"),
)
WALK = Part("walk", "", "walk.js", ())
PARTS = (DRAWING, BAR, PLACE, MEET, SPREAD)
MEET_WORDS = (
    *("picture", "title", "query", "key", "sums", "hint", "reading", "follow"),
    *("product", "bias", "exponential", "sum", "share"),
)
SPREAD_WORDS = ("width", "again", "without", "with", "deviation", "largest")
