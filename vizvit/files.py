"""Files that are there in full or not at all, on a disk that may be full or not ours to write to."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import ModelError

PARTIAL = re.compile(r"\.(\d+)\.part$")
FULL = (errno.ENOSPC, errno.EDQUOT)
_NUMBERS = itertools.count()  # threads may write the same file at once


def written(file: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file under another name, and put it in place once its bytes have reached the disk.

    The folder is made where it is not there. Raises ModelError where there is no room, or no right to write; what stood
    there before then stays. What `write` itself raises as a ModelError goes on to the caller.
    """
    made(file.parent)
    partial = file.with_name(f"{file.name[:80]}.{next(_NUMBERS)}.{os.getpid()}.part")
    try:
        write(partial)
        with partial.open("rb+") as opened:
            os.fsync(opened.fileno())
        partial.replace(file)
        _settle(file.parent)
    except (OSError, RuntimeError) as error:  # PyTorch's writer has errors of its own
        raise failed(file, error) from error
    finally:
        tidy(partial)


def write_bytes(file: Path, content: bytes) -> None:
    """As `written`."""
    written(file, lambda partial: partial.write_bytes(content))


def write_text(file: Path, text: str) -> None:
    """As `written`: UTF-8, with the line ends that the text has."""
    write_bytes(file, text.encode("utf-8"))


def reserve(file: Path, shape: Sequence[int], dtype: type) -> None:
    """An .npy file of zeros with all its room on the disk: writing into a map of it can then not run out of any.

    Raises ModelError where there is not so much room.
    """
    import numpy as np  # here, so that --help need not wait for it

    try:
        mapped = np.lib.format.open_memmap(file, mode="w+", dtype=dtype, shape=tuple(shape))
        del mapped
        if hasattr(os, "posix_fallocate"):
            with file.open("rb+") as opened:
                os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
    except OSError as error:
        needed = int(np.prod(shape)) * np.dtype(dtype).itemsize
        tidy(file)
        raise failed(file, error, needed) from error


def made(folder: Path) -> None:
    """The folder, with those above it; ModelError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise failed(folder, error) from error


def removed(file: Path) -> None:
    """The file is not there, or no longer; ModelError where it may not be removed."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:  # of a disk that is read only also where there is no such file
        if file.exists():
            raise failed(file, error) from error


def tidy(partial: Path) -> None:
    """Remove what is of no use to anybody, where that can be done: never a reason to stop."""
    with contextlib.suppress(OSError):
        partial.unlink(missing_ok=True)


def failed(file: Path, error: Exception, needed: int | None = None) -> ModelError:
    """The sentence for a file that could not be written."""
    size = f" ({needed / 1e9:.1f} GB are needed)" if needed and needed > 5e7 else ""
    number = getattr(error, "errno", None)
    full = number in FULL if number else "No space left" in str(error) or _full(file.parent)  # PyTorch's have none
    if full:
        return ModelError(f"The disk is full: {file} could not be written{size}. Make room, or choose another folder.")
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0].rpartition("strerror: ")[2]
    return ModelError(f"{file} could not be written ({reason}). Choose a folder that can be written to.")


def sweep(folder: Path) -> None:
    """Remove the partial files of processes that are gone."""
    for file in folder.glob("*.part"):
        named = PARTIAL.search(file.name)
        if named and not _alive(int(named[1])):
            tidy(file)


def _settle(folder: Path) -> None:
    """The new name of a file reaches the disk too."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _full(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    try:
        found = os.statvfs(folder)
    except (AttributeError, OSError):
        return False
    return found.f_bavail * found.f_frsize < 1 << 20


def _alive(process: int) -> bool:
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OSError):
        return True
    return True
