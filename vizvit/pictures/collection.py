"""A set of pictures as it lies on disk, read one by one: a folder of pictures, or Parquet files.

Nothing here grows with the number of pictures but the names of one directory: a folder is walked one directory at a
time, a Parquet file is read forwards in small batches of rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from ..errors import ModelError
from .folder import SUFFIXES, subfolders, walk
from .parquet import CHANGED, Rows, check, count_rows, has_boxes


@dataclass(frozen=True)
class Place:
    """Where one picture lies: a file, or the row of a Parquet file. name: what to call it, wherever the set lies."""

    file: str
    row: int | None
    name: str


@dataclass(frozen=True)
class Item:
    """One encoded picture: its bytes or path, its label and its boxes, where it has them.

    label: the class's index, or the folder that the picture is in, as "train/tabby".
    boxes: as they stand in the data, each x0, y0, x1, y1 in pixels of the picture, both ends inclusive; `usable_boxes`
        tells which are.
    """

    name: str
    encoded: bytes | str
    label: int | str | None = None
    boxes: list | None = None


@dataclass(frozen=True)
class PictureSet:
    """The pictures of a folder (subfolders included), or the rows of Parquet files.

    root: the folder, or None for Parquet files. subfolders: of the root, sorted: they may be classes.
    without: a folder of results, which is left out.
    """

    root: str | None
    files: tuple[str, ...] = ()
    subfolders: tuple[str, ...] = ()
    without: str | None = None

    @classmethod
    def of(cls, sources: Sequence[str | Path], out: str | Path | None = None) -> PictureSet:
        """One folder of pictures, one folder of Parquet files, or Parquet files with the column `image`.

        The columns `label` (an integer; below 0 stands for none) and `box` (x0, y0, x1, y1) or `boxes` (a list of
        such) are read where they are. out: where results go; no picture in it is read, and it cannot be the folder
        itself. Raises ModelError where there is nothing of the kind.
        """
        paths = [_resolved(source) for source in sources]
        out = None if out is None else _resolved(out)
        for path in paths:
            if not path.exists():
                raise ModelError(f"There is no folder or Parquet file at {path}.")
            if path == out:
                raise ModelError(f"Results would go among the pictures of {path}: choose another --out.")
        if len(paths) == 1 and paths[0].is_dir() and not list(paths[0].glob("*.parquet")):
            without = None if out is None else str(out)
            found = cls(str(paths[0]), subfolders=subfolders(paths[0]), without=without)
            if next(found.places(), None) is None:
                raise ModelError(f"There is no picture ({', '.join(SUFFIXES)}) in the folder {paths[0]}.")
            return found
        if len(paths) == 1 and paths[0].is_dir():
            paths = sorted(paths[0].glob("*.parquet"))
        if not paths or any(path.is_dir() for path in paths):
            raise ModelError("Give one folder of pictures, one folder of Parquet files, or Parquet files.")
        for path in paths:
            check(path)
        found = cls(None, tuple(map(str, paths)))
        if not found.count():
            raise ModelError(f"There is no picture in {', '.join(path.name for path in paths)}: no file has a row.")
        return found

    @property
    def may_have_boxes(self) -> bool:
        return any(map(has_boxes, self.files))

    def count(self) -> int:
        """How many pictures there are, without reading one."""
        if self.root is None:
            return sum(map(count_rows, self.files))
        return sum(1 for _ in self.places())

    def places(self, limit: int | None = None) -> Iterator[Place]:
        """Every picture in a fixed order; with a limit so many of them, spread evenly over the set."""
        if limit is None:
            yield from self._all()
            return
        total = self.count()
        wanted = min(limit, total)
        numbers = (number * total // wanted for number in range(wanted))
        every, at = self._all(), 0
        for number in numbers:
            place = next(islice(every, number - at, None), None)
            if place is None:
                raise ModelError(CHANGED)
            yield place
            at = number + 1

    def folders(self) -> Iterator[str]:
        """The folders within the root that hold pictures, each once; the root itself is left out."""
        if self.root is not None:
            yield from (folder for folder, _ in groupby(folder for _, folder, _ in self._walk()) if folder)

    def read(self, places: Iterable[Place]) -> Iterator[Item]:
        """The pictures at these places, which come in the order of `places()`."""
        rows: Rows | None = None
        for place in places:
            if place.row is None:
                yield Item(place.name, place.file, place.name.rpartition("/")[0] or None)
                continue
            if rows is None or rows.path != place.file:
                rows = Rows(place.file)
            record = rows.record(place.row)
            yield Item(place.name, record["image"], record.get("label"), _boxes(record))

    def _all(self) -> Iterator[Place]:
        if self.root is not None:
            for path, folder, name in self._walk():
                yield Place(path, None, f"{folder}/{name}" if folder else name)
            return
        for file in self.files:
            name = Path(file).name
            for row in range(count_rows(file)):
                yield Place(file, row, f"{name} row {row}")

    def _walk(self) -> Iterator[tuple[str, str, str]]:
        return walk(Path(self.root), None if self.without is None else Path(self.without))


def signature(place: Place) -> str:
    """What tells whether a picture is still the one that was measured: name, size and time of its file."""
    try:
        status = os.stat(place.file)  # noqa: PTH116
    except OSError:
        return f"{place.name}\0missing"
    return f"{place.name}\0{status.st_size}\0{status.st_mtime_ns}"


def _resolved(path: str | Path) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # a link that leads to itself, the home of a user that is not there
        raise ModelError(f"There is no folder or file at {path}.") from error


def _boxes(record: dict) -> list | None:
    """The boxes one by one; a flat list of numbers is cut into fours."""
    found = record.get("box") or record.get("boxes")
    if not found:
        return None
    if any(isinstance(value, list) for value in found):
        return list(found)
    return [found[start : start + 4] for start in range(0, len(found), 4)]
