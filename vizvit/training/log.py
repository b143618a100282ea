"""The log of a run: a JSON object a line, which a killed run leaves readable and a resumed one continues."""

from __future__ import annotations

import json
from pathlib import Path

from ..files import failed, write_text

NAME = "log.jsonl"


def read(directory: Path) -> list[dict]:
    """The entries in order; a last line that was cut off is left out."""
    file = directory / NAME
    entries = []
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries


def rewind(directory: Path, step: int) -> None:
    """Forget what came after the step of a checkpoint, which will happen once more."""
    kept = [entry for entry in read(directory) if entry["step"] <= step]
    text = "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in kept)
    write_text(directory / NAME, text)


def append(directory: Path, entry: dict) -> None:
    try:
        with (directory / NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as error:
        raise failed(directory / NAME, error) from error
