"""Class names that a person gives: a list, a text file, or a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..reading import json_of, path_of, text_of, whole

MOST = 1_000_000
LONGEST = 1000  # characters


def read_labels(source: str | Path | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """One name a class: of a list as it is; of a file with a name a line, or a JSON list or {index: name} object.

    Raises ModelError for a file that is none of these, or too large to be one.
    """
    if isinstance(source, (list, tuple)):
        return tuple(str(label) for label in source)
    try:
        path = path_of(source)
        if path.suffix == ".json":
            names = _names(json_of(path))
        else:
            names = [line.strip() for line in text_of(path).splitlines() if line.strip()]
    except ModelError as error:
        raise ModelError(
            f"The class names in {str(source)[:200]} cannot be read: {error} Expected a text file with one name a "
            f"line, or a JSON list."
        ) from error
    if len(names) > MOST or any(len(name) > LONGEST for name in names):
        raise ModelError(
            f"The class names in {path} are more than {MOST:,}, or one has more than {LONGEST:,} characters. Expected "
            f"a text file with one name a line, or a JSON list."
        )
    return tuple(names)


def _names(content: Any) -> list[str]:
    if isinstance(content, dict):
        keys = {whole(key): key for key in content}
        if sorted(keys, key=lambda index: -1 if index is None else index) != list(range(len(content))):
            raise ModelError("Its keys are not the indices 0, 1, 2 … of the classes.")
        content = [content[keys[index]] for index in range(len(content))]
    if not isinstance(content, list) or not all(isinstance(name, (str, int, float)) for name in content):
        raise ModelError("It holds no list of names.")
    return [str(name) for name in content]
