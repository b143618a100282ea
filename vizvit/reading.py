"""What comes from outside, read within bounds: numbers, paths, files and JSON."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from itertools import pairwise
from pathlib import Path
from typing import Any

from .errors import ModelError

LONGEST_PATH = 4096  # bytes, as Linux has it
TEXT_BYTES = 16 << 20  # of a labels file, a configuration, a summary
DEPTH = 32  # of lists and objects in each other


def whole(text: str, low: int = 0, high: int = 10**9) -> int | None:
    """The whole number from low to high that a text of ASCII digits says; None for any other text."""
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) and low <= int(text) <= high else None


def real(text: str, low: float, high: float) -> float | None:
    """The number from low to high that a text says as people write one, such as 0.5 or 1e-3; None for any other."""
    if not re.fullmatch(r"[+-]?([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?", text):
        return None
    value = float(text)
    return value + 0.0 if low <= value <= high else None  # never -0.0


def path_of(text: str | Path) -> Path:
    """The path that a text names, with ~ for a home; ModelError for what can be no path. The disk is not touched."""
    shown = repr(str(text)[:60])
    try:
        if "\0" in str(text) or len(os.fsencode(text)) > LONGEST_PATH:
            raise ValueError
        return Path(text).expanduser()
    except (ValueError, RuntimeError) as error:  # RuntimeError: the home of a user that is not there
        raise ModelError(
            f"{shown} cannot be a path: it is longer than {LONGEST_PATH} bytes, holds characters that no path has, or "
            f"names the home of a user that is not there. Give the path of a file or folder."
        ) from error


def kind_of(path: Path) -> str | None:
    """ "file", "folder", "device" (or a pipe or a socket), or None where nothing is that may be looked at."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "device"


def file_of(path: Path, most: int = TEXT_BYTES) -> bytes:
    """All bytes of an ordinary file, at most `most` of them; ModelError for anything else."""
    found = {"folder": "is a folder", "device": "is a device, a pipe or a socket", None: "is not there"}
    kind = kind_of(path)
    if kind != "file":
        raise ModelError(f"{path} {found[kind]}, but a file was expected. Check the path.")
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}). Check that you may read it.") from error
    if len(data) > most:
        raise ModelError(f"{path} is larger than {most / (1 << 20):.3g} MB, the most that is read of such a file.")
    return data


def text_of(path: Path, most: int = TEXT_BYTES) -> str:
    """The UTF-8 text of a file, as `file_of` reads it."""
    try:
        return file_of(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelError(f"{path} is no UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


def json_of(path: Path, most: int = TEXT_BYTES) -> Any:
    """The JSON of a file: no key twice, every number finite, not deeper than `DEPTH`; ModelError for anything else."""
    text = text_of(path, most)
    try:
        return parsed(text)
    except ValueError as error:
        raise ModelError(f"{path} cannot be read as JSON ({error}).") from error


def parsed(text: str | bytes) -> Any:
    """As `json_of`, of a text at hand; ValueError for what is not such JSON."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_finite, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [value]
    for _ in range(DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    if level:
        raise ValueError(f"it is nested more than {DEPTH} levels deep")
    return value


def finite(value: object, low: float, high: float) -> bool:
    """Whether a value out of JSON is a number (never true or false) from low to high."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ordered = sorted(name for name, _ in pairs)
        twice = next(one for one, other in pairwise(ordered) if one == other)
        raise ValueError(f'the key "{twice[:60]}" stands twice in one object')
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is not a finite number")
    return value


def _inside(value: object) -> list:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
