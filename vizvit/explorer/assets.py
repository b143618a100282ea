"""The explorer's script and style sheet, each in one piece; nothing here knows Streamlit."""

from __future__ import annotations

import re
from pathlib import Path

_HERE = Path(__file__).parent
# In the order of the joined script; functions are hoisted, top-level constants come before their use.
_MODULES = (
    *("payload", "attention", "survey", "surveyor", "chain", "scaling", "link", "colour", "words", "feeds", "state"),
    *("view", "layout", "content", "drawing", "marks", "reading"),
    *("atlas", "numbers", "why", "notice", "pins", "play", "fetching"),
    *("settle", "lettering", "sheetmarks", "sheetheads", "sheet", "download", "code", "keep"),
    *("keyboard", "menu", "pointer", "controls", "receiving", "main"),
)


def script() -> str:
    """All JavaScript modules as one: relative imports do not resolve in the blob that inline code becomes."""
    sources = ((_HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in _MODULES)
    joined = "\n".join(re.sub(r"^import .*;\n", "", source, flags=re.MULTILINE) for source in sources)
    return re.sub(r"^export (?!default)", "", joined, flags=re.MULTILINE)


def stylesheet() -> str:
    return (_HERE / "explorer.css").read_text(encoding="utf-8")
