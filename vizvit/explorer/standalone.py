"""The explorer as one HTML file: opened from a disk with the network off, it answers as the app does.

    vizvit.save_explorer(vizvit.capture(vit, image), "cat.html", title="A cat")

All layers' queries and keys are in it, with the same script and style sheet. It says how exact its numbers are.
"""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from vizvit._version import __version__
from vizvit.explorer.assets import script, stylesheet
from vizvit.explorer.check import greatest_difference
from vizvit.explorer.payload import encode, frame, read_header
from vizvit.explorer.selection import fit
from vizvit.files import write_text
from vizvit.texts import words

_TEMPLATE = Path(__file__).parent / "standalone.html"


def save_explorer(cap: Any, path: str | Path, **options) -> Path:
    """Write the explorer of a capture as one HTML file that needs no network; returns its path.

    options: those of `vizvit.explorer.standalone.build`, such as title="…", caption="…", language="ja".
    """
    path = Path(path)
    write_text(path, build(cap, **options))
    return path


def build(
    cap: Any,
    *,
    title: str = "",
    caption: str = "",
    selection: Mapping | None = None,
    language: str = "en",
    trained: bool | None = None,
    python: Sequence[str] = (),
) -> str:
    """The HTML of the explorer over a capture, complete in itself.

    title: the heading; by default the model's name.
    caption: one line below: what is shown, which weights.
    selection: where to start, as in `explorer.mount`.
    language: of the words on the screen, a key of `vizvit.texts.LANGUAGES`.
    trained: False puts "untrained weights" on the picture; by default the capture knows.
    python: source lines that load model and picture again and leave `vit`, `image` and `cap`.
    Raises CaptureError where the queries or keys are not numbers, KeyError for a language there is not.
    """
    blob = encode(cap, cap.view, range(cap.num_layers))
    texts = words("explorer", language)
    header, checked = read_header(blob), greatest_difference(cap, blob)
    title = _printable(title or cap.vit.name)
    session = {
        "key": f"standalone-{header['capture']}",
        "standalone": True,
        "start": 1,
        "selection": fit(selection or {}, header),
        "trained": bool(cap.trained if trained is None else trained),
        "title": title,
        "caption": _printable(caption),
        "name": title,
        "texts": texts,
        "python": [_printable(line) for line in python],
        "checked": checked,
    }
    parts = {
        "language": html.escape(language),
        "version": html.escape(__version__),
        "title": html.escape(title),
        "style": stylesheet(),
        "needs_script": html.escape(texts["standalone_needs_script"]),
        "footer": html.escape(_footer(texts, checked)),
        "payload": base64.b64encode(frame(session, blob)).decode("ascii"),
        "script": _inline(script()),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _TEMPLATE.read_text("utf-8"))


def _footer(texts: Mapping[str, str], checked: dict) -> str:
    """What made the file and when, and how exact its numbers are."""
    made = texts["standalone_made"].format(version=__version__, date=date.today().isoformat())
    check = texts["standalone_checked" if checked["rows"] == checked["of"] else "standalone_sampled"]
    worst = _rounded_up(100 * checked["worst"])
    return f"{made} {check.format(rows=checked['rows'], of=checked['of'], worst=f'{worst} %')}"


def _rounded_up(value: float) -> str:
    """Two significant digits and never less than the value, as "at most" asks."""
    digits = max(0, 1 - math.floor(math.log10(value))) if value else 0
    return f"{math.ceil(value * 10**digits) / 10**digits:.{digits}f}"


def _inline(source: str) -> str:
    """JavaScript that no string in it can end early as a script element."""
    return re.sub(r"<(?=/script|!--)", r"<\\", source, flags=re.IGNORECASE)


def _printable(text: str) -> str:
    """Text that UTF-8 can hold: a file's name may have bytes that are no letters."""
    return text.encode("utf-8", "replace").decode("utf-8")
