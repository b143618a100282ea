"""The bytes of a picture, from wherever a person has them, never more than `MAX_BYTES`."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from ..errors import ImageError

MAX_BYTES = 32 * 1024 * 1024

Encoded = str | os.PathLike | bytes | bytearray | memoryview | BinaryIO
Source = Encoded | np.ndarray | Image.Image


def read(source: Encoded) -> tuple[str, bytes]:
    """(what to call the file, its bytes), never more than `MAX_BYTES`."""
    if isinstance(source, bytes | bytearray | memoryview):
        name = "This file"
        _check_bytes(name, source.nbytes if isinstance(source, memoryview) else len(source))
        return name, bytes(source)
    if isinstance(source, str | os.PathLike):
        return _read_path(source)
    if hasattr(source, "read"):
        return _read_file(source)
    raise ImageError(
        f"A picture was expected, but a Python object of type {type(source).__name__} was given. "
        "Give a path, the bytes of a file, a file object, a NumPy array or a PIL image."
    )


def _read_path(source: str | os.PathLike) -> tuple[str, bytes]:
    path = Path(os.fsdecode(source))
    name = f"“{path.name or path}”"
    try:
        if path.is_dir():
            raise ImageError(f"{name} is a folder, but a picture was expected. Choose a file inside it.")
        if not path.exists():
            raise ImageError(
                f"There is no file at “{path}”. Check the spelling and the folder, or choose the file again."
            )
        if not path.is_file():
            raise ImageError(f"{name} is not an ordinary file, but a picture was expected. Choose a picture file.")
        _check_bytes(name, path.stat().st_size)
        with path.open("rb") as file:
            return name, _read_at_most(name, file)
    except ImageError:
        raise
    except (OSError, ValueError) as error:
        raise ImageError(
            f"The file “{path}” cannot be opened ({error}). Check its name and that you may read it."
        ) from error


def _read_file(file: BinaryIO) -> tuple[str, bytes]:
    given = getattr(file, "name", None)
    name = f"“{Path(given).name}”" if isinstance(given, str) and given else "This file"
    try:
        if not hasattr(file, "seekable") or file.seekable():
            _check_bytes(name, file.seek(0, io.SEEK_END))
            file.seek(0)
        return name, _read_at_most(name, file)
    except ImageError:
        raise
    except Exception as error:  # a foreign object's own code
        raise ImageError(
            f"{name} cannot be read ({error}). Give a file that is open for reading bytes: open(path, 'rb')."
        ) from error


def _read_at_most(name: str, file: BinaryIO) -> bytes:
    parts, total = [], 0
    while part := file.read(MAX_BYTES + 1 - total):
        if not isinstance(part, bytes | bytearray | memoryview):
            raise ImageError(
                f"{name} gives text, but bytes were expected. Open it for reading bytes: open(path, 'rb')."
            )
        parts.append(part)
        total += len(part)
        _check_bytes(name, total)
    return b"".join(parts)


def _check_bytes(name: str, count: int) -> None:
    if isinstance(count, int) and count > MAX_BYTES:
        raise ImageError(
            f"{name} is larger than {MAX_BYTES // 2**20} MB, the most that can be read. "
            "Make the picture smaller, or save it as JPEG, and try again."
        )
