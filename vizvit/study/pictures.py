"""A set of pictures as it lies on disk, read one by one: a folder of pictures, or Parquet files.

Nothing here grows with the number of pictures: a folder is walked one directory at a time, a Parquet file is read
forwards in small batches of rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as arrow
from pyarrow import parquet

from ..errors import ModelError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
ROWS = 64  # of a Parquet file in memory at once


@dataclass(frozen=True)
class Place:
    """Where one picture lies: a file, or the row of a Parquet file. name: what to call it, wherever the set lies."""

    file: str
    row: int | None
    name: str


@dataclass(frozen=True)
class Item:
    """One encoded picture: its bytes or path, its label and its boxes [n, (x0, y0, x1, y1)], where it has them.

    label: the class's index, or the name of the subfolder that the picture is in.
    boxes: in pixels of the picture, both ends inclusive.
    """

    name: str
    encoded: bytes | str
    label: int | str | None = None
    boxes: np.ndarray | None = None


@dataclass(frozen=True)
class PictureSet:
    """The pictures of a folder (subfolders included), or the rows of Parquet files.

    root: the folder, or None for Parquet files. subfolders: of the root, sorted: they may be classes.
    """

    root: str | None
    files: tuple[str, ...] = ()
    subfolders: tuple[str, ...] = ()

    @classmethod
    def of(cls, sources: Sequence[str | Path]) -> PictureSet:
        """One folder of pictures, one folder of Parquet files, or Parquet files with the column `image`.

        The columns `label` (an integer; below 0 stands for none) and `box` (x0, y0, x1, y1) or `boxes` (a list of
        such) are read where they are. Raises ModelError where there is nothing of the kind.
        """
        paths = [Path(source).expanduser().resolve() for source in sources]
        for path in paths:
            if not path.exists():
                raise ModelError(f"There is no folder or Parquet file at {path}.")
        if len(paths) == 1 and paths[0].is_dir() and not list(paths[0].glob("*.parquet")):
            found = cls(str(paths[0]), subfolders=tuple(name for name, _ in _entries(paths[0], os.DirEntry.is_dir)))
            if next(found.places(), None) is None:
                raise ModelError(f"There is no picture ({', '.join(SUFFIXES)}) in the folder {paths[0]}.")
            return found
        if len(paths) == 1 and paths[0].is_dir():
            paths = sorted(paths[0].glob("*.parquet"))
        if not paths or any(path.is_dir() for path in paths):
            raise ModelError("Give one folder of pictures, one folder of Parquet files, or Parquet files.")
        for path in paths:
            _check(path)
        return cls(None, tuple(map(str, paths)))

    def count(self) -> int:
        """How many pictures there are, without reading one."""
        if self.root is None:
            return sum(parquet.read_metadata(file).num_rows for file in self.files)
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
            yield next(islice(every, number - at, None))
            at = number + 1

    def read(self, places: Iterable[Place]) -> Iterator[Item]:
        """The pictures at these places, which come in the order of `places()`."""
        rows: _Rows | None = None
        for place in places:
            if place.row is None:
                folder, _, _ = place.name.partition("/")
                yield Item(place.name, place.file, folder if folder in self.subfolders else None)
                continue
            if rows is None or rows.path != place.file:
                rows = _Rows(place.file)
            yield rows.item(place)

    def _all(self) -> Iterator[Place]:
        if self.root is not None:
            yield from _walk(Path(self.root), "")
            return
        for file in self.files:
            name = Path(file).name
            for row in range(parquet.read_metadata(file).num_rows):
                yield Place(file, row, f"{name} row {row}")


def signature(place: Place) -> str:
    """What tells whether a picture is still the one that was measured: name, size and time of its file."""
    try:
        status = os.stat(place.file)  # noqa: PTH116
    except OSError:
        return f"{place.name}\0missing"
    return f"{place.name}\0{status.st_size}\0{status.st_mtime_ns}"


class _Rows:
    """The rows of one Parquet file, read forwards only."""

    def __init__(self, path: str):
        self.path = path
        self._file = parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        have = self._file.schema_arrow.names
        self._columns = [column for column in ("image", "label", "box", "boxes") if column in have]
        groups = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._ends = np.cumsum(groups)
        self._group, self._batches, self._batch, self._first = -1, iter(()), None, 0

    def item(self, place: Place) -> Item:
        group = int(np.searchsorted(self._ends, place.row, side="right"))
        if group != self._group:
            self._group, self._batch = group, None
            self._first = int(self._ends[group - 1]) if group else 0
            self._batches = self._file.iter_batches(ROWS, row_groups=[group], columns=self._columns)
        while self._batch is None or place.row >= self._first + len(self._batch):
            self._first += 0 if self._batch is None else len(self._batch)
            self._batch = next(self._batches)
        record = self._batch.slice(place.row - self._first, 1).to_pylist()[0]
        return _item(place.name, record)


def _item(name: str, record: dict) -> Item:
    picture = record["image"]
    if isinstance(picture, dict):  # the layout of the hub's data sets: a struct of bytes and path
        picture = picture.get("bytes")
    label = record.get("label")
    boxes = record.get("box") or record.get("boxes") or None
    if boxes is not None:
        try:
            boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        except (ValueError, TypeError) as error:
            raise ModelError(f"The box of {name} should be four numbers, x0, y0, x1, y1; it is {boxes!r}.") from error
    return Item(name, picture if isinstance(picture, bytes) else b"", None if label is None else int(label), boxes)


def _check(path: Path) -> None:
    try:
        schema = parquet.read_schema(path)
    except (OSError, arrow.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} cannot be read as Parquet ({reason}). Give a folder or Parquet files.") from error
    if "image" not in schema.names:
        raise ModelError(f"{path.name} has no column image; its columns are {', '.join(schema.names)}.")
    if "label" in schema.names and not arrow.types.is_integer(schema.field("label").type):
        raise ModelError(f"{path.name} has labels of type {schema.field('label').type}; integers were expected.")


def _entries(folder: Path, kind) -> list[tuple[str, str]]:
    with os.scandir(folder) as found:
        return sorted((entry.name, entry.path) for entry in found if kind(entry) and not entry.name.startswith("."))


def _walk(folder: Path, above: str) -> Iterator[Place]:
    for name, path in _entries(folder, os.DirEntry.is_file):
        if Path(name).suffix.lower() in SUFFIXES:
            yield Place(path, None, above + name)
    for name, path in _entries(folder, os.DirEntry.is_dir):
        yield from _walk(Path(path), f"{above}{name}/")
