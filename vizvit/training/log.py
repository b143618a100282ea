"""The log of a run: a JSON object a line, which a killed run leaves readable and a resumed one continues."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from ..files import failed, write_text
from ..reading import file_of, finite, parsed

NAME = "log.jsonl"
MOST = 256 << 20  # bytes: an open end is logged for weeks


def read(directory: Path) -> list[dict]:
    """The entries in order; a line that was cut off, or is none of a log, is left out."""
    file = directory / NAME
    entries = []
    for line in file_of(file, MOST).decode("utf-8", "replace").splitlines() if file.is_file() else ():
        try:
            entry = parsed(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("event"), str) and finite(entry.get("step"), 0, 1e12):
            entries.append(entry)
    return entries


def rewind(directory: Path, step: int) -> None:
    """Forget what came after the step of a checkpoint, which will happen once more."""
    kept = [entry for entry in read(directory) if entry["step"] <= step]
    text = "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in kept)
    write_text(directory / NAME, text)


def append(directory: Path, entry: dict) -> None:
    file = directory / NAME
    whole = file.stat().st_size if file.is_file() else 0
    try:
        with file.open("ab") as opened:
            opened.write(f"{json.dumps(entry, ensure_ascii=False)}\n".encode())
    except OSError as error:
        with contextlib.suppress(OSError):
            os.truncate(file, whole)  # the next line does not go on where this one broke off
        raise failed(file, error) from error
