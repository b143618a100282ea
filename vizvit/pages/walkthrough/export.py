"""A lesson as one HTML file: opened from a disk with the network off, its stages are those of the page, the live parts
included."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from vizvit.explorer.page import inline, made, page
from vizvit.explorer.walk.parts import Part, walk_style
from vizvit.pages.shared import look
from vizvit.pages.shared.language import current, kind_of, say
from vizvit.pages.shared.photo import photo_key
from vizvit.pages.walkthrough.drawings import draw
from vizvit.pages.walkthrough.place import words
from vizvit.pages.walkthrough.scene import Here
from vizvit.pages.walkthrough.spine import network
from vizvit.pages.walkthrough.steer import stage_bar
from vizvit.pictures.samples import SAMPLES
from vizvit.walk.lessons import Lesson, lesson
from vizvit.walk.stages import STAGES
from vizvit.walk.tour import Tour
from vizvit.walk.written import article

_HERE = Path(__file__).parent
_POLICY = "script-src 'unsafe-inline'; img-src data:"


class InFile:
    """Gathers parts as HTML; `export.js` brings them to life."""

    fixed = True

    def __init__(self) -> None:
        self.html: list[str] = []
        self.parts: dict[str, Part] = {}

    def live(self, part: Part, key: str, data: Any, **changes: Callable[[], None]) -> None:
        self.parts[part.name] = part
        if isinstance(data, bytes):
            kind, text = "octet-stream", base64.b64encode(data).decode("ascii")
        else:
            kind, text = "json", json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
        held = f'<script type="application/{kind}">{text}</script>'
        self.html.append(f'<div class="part" data-part="{part.name}">{held}</div>')

    def beside(self, small: Callable[[], None], large: Callable[[], None]) -> None:
        for opening, part in (('<div class="beside"><div>', small), ("</div><div>", large)):
            self.html.append(opening)
            part()
        self.html.append("</div></div>")

    def choose(self, key: str, label: str, options: Mapping[Hashable, str], draw: Callable[[Any], None]) -> None:
        buttons = "".join(
            f'<button aria-pressed="{"false" if at else "true"}">{escape(name)}</button>'
            for at, name in enumerate(options.values())
        )
        self.html.append(f'<div class="choose"><p class="options"><span>{escape(label)}</span>{buttons}</p>')
        for at, option in enumerate(options):
            self.html.append(f"<div{' hidden' if at else ''}>")
            draw(option)
            self.html.append("</div>")
        self.html.append("</div>")


def build(here: Here, tour: Tour) -> str:
    """The HTML of a lesson over what stands on the page, complete in itself."""
    of_file, surface = say("explorer"), InFile()
    bar = _at(here, tour, tour.stages[0], surface)
    stage_bar(bar, _lesson(bar, tour.stages[0]).title, network(bar))
    for stage in tour.stages:
        _stage(_at(here, tour, stage, surface), surface)
    parts = {
        "stages": "".join(surface.html),
        "lesson": escape(urlencode(_link(here, tour), quote_via=quote)),
        "needs_script": escape(of_file["standalone_needs_script"]),
        "footer": escape(f"{look.weights_note(here.vit)}. {say('walk')['lesson_fixed']} {made(of_file)}"),
        "parts": "".join(part.in_file for part in surface.parts.values()),
        "script": inline((_HERE / "export.js").read_text("utf-8")),
    }
    style, title = (_HERE / "export.css").read_text("utf-8") + walk_style(), here.choice.image_name
    return page(_HERE / "export.html", parts, language=current(), title=title, policy=_POLICY, style=style)


def _link(here: Here, tour: Tour) -> dict[str, str]:
    """What `vizvit lesson --lesson` takes from the file."""
    samples = {photo_key(sample.read()): name for name, sample in SAMPLES.items()}
    values = words(replace(here.place, stage=tour.stages[0], tour=tour), here.vit)
    return values | {"lang": current(), "model": here.vit.name, "image": samples.get(here.choice.image_key, "")}


def _at(here: Here, tour: Tour, stage: int, surface: InFile) -> Here:
    return replace(here, place=replace(here.place, stage=stage, tour=tour, found=False), surface=surface)


def _lesson(here: Here, stage: int) -> Lesson:
    name = STAGES[stage - 1].of(kind_of(here.vit)).lesson
    return lesson(name, current()).fill(**here.numbers())


def _stage(here: Here, surface: InFile) -> None:
    """The teacher's sentence, the lesson's text, and the stage as it is drawn on the page."""
    number, place = here.place.stage, here.place
    stage, told = STAGES[number - 1].of(kind_of(here.vit)), _lesson(here, number)
    note = f'<p class="sentence">{escape(place.tour.note(number))}</p>' if place.tour.note(number) else ""
    closed = "" if number == place.stages[0] else " hidden"
    surface.html += [
        f'<section data-stage="{number}" data-title="{escape(told.title)}"{closed}>',
        f'{note}<div class="columns"><article class="text">{article(told, say("walk"))}</article><div class="drawn">',
    ]
    why_not = draw(here, stage)
    surface.html.append(f"{f'<p>{escape(why_not)}</p>' if why_not else ''}</div></div></section>")
