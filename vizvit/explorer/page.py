"""An HTML file that stands alone: one frame, theme and policy around what it shows; nothing in it is fetched."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from vizvit._version import __version__

_HERE = Path(__file__).parent


def page(body: Path, parts: Mapping[str, str], *, language: str, title: str, policy: str, style: str) -> str:
    """The whole file.

    body: a template with {{names}}, of `parts` (HTML by then), {{title}} and {{language}}. title: plain text.
    policy: what scripts, pictures and workers may come from, beside the file itself, as a Content-Security-Policy.
    """
    parts = {
        **parts,
        "language": html.escape(language),
        "version": html.escape(__version__),
        "title": html.escape(printable(title)),
        "policy": policy,
        "theme": (_HERE / "page.css").read_text("utf-8"),
        "style": style,
    }
    template = (_HERE / "page.html").read_text("utf-8").replace("{{body}}", body.read_text("utf-8").rstrip())
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def made(texts: Mapping[str, str]) -> str:
    """What made the file and when. texts: those of the explorer."""
    return texts["standalone_made"].format(version=__version__, date=date.today().isoformat())


def inline(source: str) -> str:
    """JavaScript that no string in it can end early as a script element."""
    return re.sub(r"<(?=/script|!--)", r"<\\", source, flags=re.IGNORECASE)


def printable(text: str) -> str:
    """Text that UTF-8 can hold: a file's name may have bytes that are no letters."""
    return text.encode("utf-8", "replace").decode("utf-8")
