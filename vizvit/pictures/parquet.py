"""Pictures in the columns of a Parquet file: checked before a study begins, then read forwards, few rows at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as arrow
from pyarrow import parquet, types

from ..errors import ModelError
from .folder import SUFFIXES

ROWS = 64  # of a file in memory at once
BOXES = ("box", "boxes")
CHANGED = "The pictures changed during the study; run it again, finished parts are kept."


def check(path: Path) -> None:
    """ModelError, with a sentence that says what to give instead, for a file that holds no pictures in columns."""
    if path.suffix.lower() in SUFFIXES:
        raise ModelError(f"{path} is one picture, and a study is of many: give the folder that it is in.")
    try:
        schema = parquet.read_schema(path)
    except (OSError, arrow.ArrowException) as error:
        if path.suffix.lower() != ".parquet":
            raise ModelError(f"{path} is no Parquet file. Give a folder of pictures, or Parquet files.") from error
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} cannot be read as Parquet ({reason}). Give a folder or Parquet files.") from error
    if "image" not in schema.names:
        raise ModelError(f"{path.name} has no column image; its columns are {', '.join(schema.names)}.")
    kind = schema.field("image").type
    if not _holds_pictures(kind):
        raise ModelError(
            f"{path.name} has a column image of type {kind}; expected were encoded pictures (binary), or the hub's "
            f"struct of bytes and path."
        )
    if "label" in schema.names and not types.is_integer(schema.field("label").type):
        raise ModelError(f"{path.name} has labels of type {schema.field('label').type}; integers were expected.")


def has_boxes(path: str) -> bool:
    return any(name in BOXES for name in parquet.read_schema(path).names)


def count_rows(path: str) -> int:
    try:
        return parquet.read_metadata(path).num_rows
    except (OSError, arrow.ArrowException) as error:
        raise ModelError(CHANGED) from error


class Rows:
    """The rows of one Parquet file, read forwards only."""

    def __init__(self, path: str):
        self.path = path
        try:
            self._file = parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        except (OSError, arrow.ArrowException) as error:
            raise ModelError(CHANGED) from error
        have = self._file.schema_arrow.names
        self._columns = [column for column in ("image", "label", *BOXES) if column in have]
        groups = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._ends = np.cumsum(groups)
        self._group, self._batches, self._batch, self._first = -1, iter(()), None, 0

    def record(self, row: int) -> dict:
        """The row's columns image (bytes or a path; empty where it has neither), label, box and boxes, by name."""
        group = int(np.searchsorted(self._ends, row, side="right"))
        if group == len(self._ends):
            raise ModelError(CHANGED)
        if group != self._group:
            self._group, self._batch = group, None
            self._first = int(self._ends[group - 1]) if group else 0
            self._batches = self._file.iter_batches(ROWS, row_groups=[group], columns=self._columns)
        while self._batch is None or row >= self._first + len(self._batch):
            self._first += 0 if self._batch is None else len(self._batch)
            self._batch = self._next(row)
        record = self._batch.slice(row - self._first, 1).to_pylist()[0]
        return record | {"image": self._encoded(record["image"])}

    def _next(self, row: int) -> arrow.RecordBatch:
        try:
            batch = next(self._batches, None)
        except (OSError, arrow.ArrowException) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(f"{self.path} cannot be read at row {row} ({reason}). Leave it out.") from error
        if batch is None:
            raise ModelError(CHANGED)
        return batch

    def _encoded(self, picture: bytes | dict | None) -> bytes | str:
        if not isinstance(picture, dict):
            return picture or b""
        if picture.get("bytes") or not picture.get("path"):  # the layout of the hub's data sets
            return picture.get("bytes") or b""
        return str(Path(self.path).parent / picture["path"])


def _holds_pictures(kind: arrow.DataType) -> bool:
    if types.is_struct(kind):
        inner = {field.name: field.type for field in kind}
        return _is_binary(inner.get("bytes")) or _is_text(inner.get("path"))
    return _is_binary(kind)


def _is_binary(kind: arrow.DataType | None) -> bool:
    if kind is None:
        return False
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)


def _is_text(kind: arrow.DataType | None) -> bool:
    return kind is not None and (types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
