"""A folder of pictures, walked one directory at a time in a fixed order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import ModelError

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff")
RESULTS = "vizvit-out"  # where commands put their figures unless told otherwise


def walk(root: Path, without: Path | None = None) -> Iterator[tuple[str, str, str]]:
    """(path, folder, name) of every picture below a folder; folder: within the root, "" for the root itself.

    Hidden entries are left out, and so are results: the folder `without` and folders named RESULTS. A link to a
    picture that is not there is a picture too: a broken one. A link to a folder is followed only where it leads out of
    what is walked anyway, so that nothing is counted twice and no loop is entered.
    """
    seen, around = {root}, set(root.parents)  # real folders that were entered, and all that lie above them

    def leads_back(path: str) -> bool:
        target = Path(os.path.realpath(path))
        if target == without or target in around or not seen.isdisjoint((target, *target.parents)):
            return True
        seen.add(target)
        around.update(target.parents)
        return False

    def inside(folder: str, within: str) -> Iterator[tuple[str, str, str]]:
        for name in _names(folder, _is_picture):
            yield os.path.join(folder, name), within, name  # noqa: PTH118
        for name in _names(folder, _is_folder):
            path = os.path.join(folder, name)  # noqa: PTH118
            if name == RESULTS or (without is not None and Path(path) == without):
                continue
            if os.path.islink(path) and leads_back(path):  # noqa: PTH114
                continue
            yield from inside(path, f"{within}/{name}" if within else name)

    yield from inside(str(root), "")


def subfolders(root: Path) -> tuple[str, ...]:
    """The names of a folder's own subfolders, sorted, without hidden ones."""
    return tuple(_names(str(root), _is_folder))


def _names(folder: str, kind: Callable[[os.DirEntry], bool]) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return sorted(entry.name for entry in found if not entry.name.startswith(".") and kind(entry))
    except OSError as error:
        raise ModelError(f"The folder {folder} cannot be read ({error.strerror}).") from error


def _is_picture(entry: os.DirEntry) -> bool:
    if os.path.splitext(entry.name)[1].lower() not in SUFFIXES:  # noqa: PTH122
        return False
    return entry.is_file(follow_symlinks=False) or (entry.is_symlink() and not _is_folder(entry))


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
