"""Labelled pictures as they lie on disk: Parquet files, or a folder with a subfolder a class."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError
from ..pictures.folder import SUFFIXES
from ..reading import path_of, text_of, whole

if TYPE_CHECKING:
    import pyarrow as arrow


@dataclass(frozen=True, eq=False)
class Source:
    """Rows of encoded pictures.

    encoded: the bytes of each picture, its path, or its pixels. names: what to call a row in a message.
    labels: int64 [row]. boxes: int64 [row, (x0, y0, x1, y1)] in pixels, both ends inclusive, or None.
    classes: a name a class where the folder or the file says, else empty.
    digest: SHA-256 of what is in it (of paths, sizes and times for a folder).
    """

    encoded: Sequence[bytes | Path | np.ndarray]
    names: Sequence[str]
    labels: np.ndarray
    boxes: np.ndarray | None
    classes: tuple[str, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.labels)

    def picture(self, row: int) -> bytes | np.ndarray:
        found = self.encoded[row]
        return found.read_bytes() if isinstance(found, Path) else found


def read_source(
    places: Sequence[str | Path], classes: Sequence[str] = (), *, image: str = "image", label: str = "label"
) -> Source:
    """Rows of Parquet files (columns `image`, `label` and, where they have one, `box`), or of one image folder.

    classes: names in the order of their labels; without them a folder's sorted subfolders, or "class 3".
    Raises ModelError for missing columns, empty folders and labels out of range, before a picture is decoded.
    """
    paths = [Path(place).expanduser() for place in places]
    if not paths:
        raise ModelError("No data was given. Name Parquet files, or a folder with one subfolder a class.")
    for path in paths:
        if not path.exists():
            raise ModelError(f"There is no data at {path}. Name Parquet files, or a folder with one subfolder a class.")
    if len(paths) == 1 and paths[0].is_dir() and not list(paths[0].glob("*.parquet")):
        source = _read_folder(paths[0], tuple(classes))
    else:
        files = [file for path in paths for file in (sorted(path.glob("*.parquet")) if path.is_dir() else [path])]
        if len({path.is_dir() for path in paths}) > 1 or not files:
            raise ModelError("Give either Parquet files or one image folder as data, not a mixture of them.")
        source = _read_parquet(files, image, label, tuple(classes))
    _check_labels(source, len(classes))
    return source


def read_classes(path: str | Path) -> tuple[str, ...]:
    """Class names from a CSV file with the columns label (0, 1, …) and name."""
    try:
        rows = list(csv.DictReader(text_of(path_of(path)).splitlines(keepends=True)))
        names = {whole(row["label"].strip()): row["name"].strip() for row in rows}
    except (ModelError, KeyError, TypeError, AttributeError, csv.Error) as error:
        reason = f"no column {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(
            f"The class names in {path} cannot be read ({reason}). Expected a CSV file with the columns label, name."
        ) from error
    if not names or None in names or sorted(names) != list(range(len(rows))):
        raise ModelError(f"The labels in {path} should be 0 to {max(len(rows) - 1, 0)}, each once.")
    return tuple(names[index] for index in range(len(names)))


def read_cifar(name: str, root: Path, *, train: bool, download: bool = False) -> Source:
    """CIFAR-10 or CIFAR-100 ("cifar10", "cifar100") as torchvision keeps it below the folder `root`."""
    from torchvision import datasets

    kind = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    try:
        found = kind(str(root), train=train, download=download)
    except (RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if download:
            raise ModelError(
                f"{name} could not be downloaded to {root} ({reason}). Check the connection, or put torchvision's "
                f"files of it there by hand."
            ) from error
        raise ModelError(
            f"{name} is not in {root} ({reason}). Let it be downloaded with --download, or put it there."
        ) from error
    names = [f"{name} {'train' if train else 'test'} {row}" for row in range(len(found.targets))]
    digest = hashlib.sha256(found.data.tobytes()).hexdigest()
    return Source(found.data, names, np.asarray(found.targets, np.int64), None, tuple(found.classes), digest)


def _read_parquet(files: list[Path], image: str, label: str, classes: tuple[str, ...]) -> Source:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise ModelError("Reading Parquet needs pyarrow: pip install pyarrow, or give an image folder.") from error
    encoded, names, labels, boxes, digest = [], [], [], [], hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
            have = parquet.read_schema(path).names
        except (OSError, arrow.ArrowException) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(f"{path} cannot be read as Parquet ({reason}). Give Parquet files or a folder.") from error
        missing = [column for column in (image, label) if column not in have]
        if missing:
            raise ModelError(
                f"{path.name} has no column {' and no column '.join(missing)}; its columns are {', '.join(have)}."
            )
        table = parquet.read_table(path, columns=[image, label, *(["box"] if "box" in have else [])])
        pictures, wanted = table[image].to_pylist(), table[label]
        # The layout of the hub's data sets: a struct of bytes and path.
        pictures = [picture["bytes"] if isinstance(picture, dict) else picture for picture in pictures]
        if wanted.null_count or not arrow.types.is_integer(wanted.type):
            kind = "missing labels" if wanted.null_count else f"labels of type {wanted.type}"
            raise ModelError(f"{path.name} has {kind} in the column {label}; an integer in every row was expected.")
        encoded += [picture if isinstance(picture, bytes) else b"" for picture in pictures]
        names += [f"{path.name} row {row}" for row in range(len(pictures))]
        labels.append(np.asarray(wanted.to_pylist(), np.int64))
        boxes.append(_boxes(table, path) if "box" in have else None)
    whole = None if any(found is None for found in boxes) else np.concatenate(boxes)
    if not names:
        raise ModelError(f"There is no row in {', '.join(path.name for path in files)}.")
    return Source(encoded, names, np.concatenate(labels), whole, classes, digest.hexdigest())


def _boxes(table: arrow.Table, path: Path) -> np.ndarray:
    try:
        return np.asarray(table["box"].to_pylist(), np.int64).reshape(-1, 4)
    except (ValueError, TypeError) as error:
        raise ModelError(f"The boxes in {path.name} should be four integers a row: x0, y0, x1, y1.") from error


def _read_folder(folder: Path, classes: tuple[str, ...]) -> Source:
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not subfolders:
        raise ModelError(f"{folder} has no subfolders. An image folder has one subfolder a class, with its pictures.")
    found = {path.name: [file for file in sorted(path.rglob("*")) if _is_picture(file)] for path in subfolders}
    empty = [name for name, files in found.items() if not files]
    if empty:
        raise ModelError(
            f"There are no pictures in {folder / empty[0]} ({len(empty)} empty in all). Fill or remove it."
        )
    names = classes or tuple(found)
    unknown = [name for name in found if name not in names]
    if unknown:
        raise ModelError(f"{folder} has a subfolder {unknown[0]}, which is none of the {len(names)} class names.")
    files = [file for group in found.values() for file in group]
    labels = [names.index(name) for name, group in found.items() for _ in group]
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        digest.update(
            f"{file.relative_to(folder)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "replace")
        )
    digest.update(repr(labels).encode())
    return Source(
        files, [str(file.relative_to(folder)) for file in files], np.asarray(labels), None, names, digest.hexdigest()
    )


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def _check_labels(source: Source, count: int) -> None:
    low, high = int(source.labels.min()), int(source.labels.max())
    if low >= 0 and (not count or high < count):
        return
    row = int(np.argmax((source.labels < 0) | (source.labels >= (count or high + 1))))
    raise ModelError(
        f"{source.names[row]} has the label {source.labels[row]}, but labels from 0"
        + (f" to {count - 1} were expected, one for each class name." if count else " on were expected.")
    )
