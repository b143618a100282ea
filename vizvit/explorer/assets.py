"""The explorer's script and style sheet, each in one piece; nothing here knows Streamlit."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

_HERE = Path(__file__).parent
ENTRY = _HERE / "js" / "main.js"
LESSON, WORKER = _HERE / "js" / "lesson.js", _HERE / "js" / "worker.js"
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[^"]+)";\n', re.MULTILINE)


def script() -> str:
    """All JavaScript modules as one: relative imports do not resolve in the blob that inline code becomes."""
    return joined(ENTRY)


def joined(*entries: Path) -> str:
    """JavaScript modules and all that they import in one scope; names at the top of them must differ."""
    files = dict.fromkeys(path for entry in entries for path in modules(entry))
    together = "\n".join(_IMPORT.sub("", path.read_text("utf-8")) for path in files)
    return re.sub(r"^export (?!default)", "", together, flags=re.MULTILINE)


def modules(entry: Path) -> list[Path]:
    """The files of `joined`, each after those that it imports. Raises ValueError where imports go in a circle."""
    found, waiting = {}, [entry.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = imports(path)
            waiting.extend(found[path])
    try:
        return list(TopologicalSorter(found).static_order())
    except CycleError as error:
        circle = " imports ".join(path.name for path in reversed(error.args[1]))
        raise ValueError(f"JavaScript modules cannot be put in an order: {circle}") from None


def imports(path: Path) -> list[Path]:
    """The modules that a JavaScript module names in its imports."""
    return [(path.parent / name).resolve() for name in _IMPORT.findall(path.read_text("utf-8"))]


def stylesheet() -> str:
    return (_HERE / "explorer.css").read_text(encoding="utf-8")
