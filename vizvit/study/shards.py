"""Finished shards on disk: written whole or not at all, and kept only while they are what would be measured again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as arrow
from pyarrow import parquet

from ..errors import ModelError
from .plan import Plan

DIGEST = b"vizvit.shard"


class Shards:
    """The folder `shards` of a study: one Parquet file a shard."""

    def __init__(self, out: Path):
        self.folder = out / "shards"

    def path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.parquet"

    def any(self) -> bool:
        return self.folder.is_dir() and next(self.folder.glob("*.parquet"), None) is not None

    def clear(self) -> None:
        for path in (*self.folder.glob("*.parquet"), *self.folder.glob("*.part")):
            path.unlink()

    def finished(self, plan: Plan) -> tuple[frozenset[int], int, int]:
        """(the shards that need not be measured again, the pictures in them, the pictures in all)."""
        finished, pictures, total = set(), 0, 0
        for shard in plan.shards():
            total += len(shard.places)
            if self._holds(shard.number, shard.digest, len(shard.places)):
                finished.add(shard.number)
                pictures += len(shard.places)
        return frozenset(finished), pictures, total

    def write(self, number: int, content: bytes) -> None:
        """Keep what `packed` made; a shard that was cut short by an interruption is never taken for a whole one."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = self.path(number).with_suffix(".part")
            unfinished.write_bytes(content)
            unfinished.replace(self.path(number))
        except OSError as error:
            reason = f"{self.path(number)} cannot be written ({error.strerror})"
            raise ModelError(f"{reason}. Choose another --out.") from error

    def read(self, plan: Plan) -> Iterator[arrow.Table]:
        """The shards' rows in order, one shard in memory at a time."""
        for shard in plan.shards():
            yield parquet.read_table(self.path(shard.number))

    def _holds(self, number: int, digest: str, pictures: int) -> bool:
        try:
            with parquet.ParquetFile(self.path(number)) as file:
                if (file.schema_arrow.metadata or {}).get(DIGEST) != digest.encode():
                    return False
                return sum(len(rows) for rows in file.iter_batches()) == pictures  # reads every byte
        except (OSError, arrow.ArrowException):
            return False


def packed(tables: list[arrow.Table], digest: str) -> bytes:
    """A shard as the bytes of its file, from the rows of its batches."""
    buffer, table = io.BytesIO(), arrow.concat_tables(tables).combine_chunks()
    parquet.write_table(table.replace_schema_metadata({DIGEST: digest.encode()}), buffer)
    return buffer.getvalue()
