"""Finished shards on disk: written whole or not at all, and kept only while they are what would be measured again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as arrow
from pyarrow import parquet

from ..errors import ModelError
from ..files import write_bytes
from ..pictures.parquet import CHANGED
from .plan import Plan

DIGEST, STUDY = b"vizvit.shard", b"vizvit.study"


class Shards:
    """The folder `shards` of a study: one Parquet file a shard."""

    def __init__(self, out: Path):
        self.folder = out / "shards"

    def path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.parquet"

    def any(self) -> bool:
        return self._some() is not None

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

    def difference(self, plan: Plan) -> str:
        """In what the study that is here differs from the plan, to follow "a study of other"."""
        try:
            facts = json.loads(_metadata(self._some())[STUDY])
            differing = [name for name, digest in plan.study.items() if facts.get(name) != digest] or ["pictures"]
        except (OSError, arrow.ArrowException, KeyError, ValueError, TypeError):
            return "pictures, weights or settings"
        return " and ".join(differing)

    def write(self, number: int, content: bytes) -> None:
        """Keep what `packed` made; a shard that was cut short by an interruption is never taken for a whole one."""
        write_bytes(self.path(number), content)

    def read(self, plan: Plan) -> Iterator[arrow.Table]:
        """The shards' rows in order, one shard in memory at a time.

        Raises ModelError where a shard is not of the pictures as they are now.
        """
        for shard in plan.shards():
            try:
                table = parquet.read_table(self.path(shard.number))
            except FileNotFoundError as error:
                raise ModelError(CHANGED) from error
            if (table.schema.metadata or {}).get(DIGEST) != shard.digest.encode():
                raise ModelError(CHANGED)
            yield table

    def drop_from(self, number: int) -> None:
        """Remove shards that are beyond the study's last."""
        for path in self.folder.glob("*.parquet"):
            if path.stem.isdecimal() and int(path.stem) >= number:
                path.unlink()

    def _some(self) -> Path | None:
        return next(self.folder.glob("*.parquet"), None)

    def _holds(self, number: int, digest: str, pictures: int) -> bool:
        try:
            if _metadata(self.path(number)).get(DIGEST) != digest.encode():
                return False
            with parquet.ParquetFile(self.path(number)) as file:
                return sum(len(rows) for rows in file.iter_batches()) == pictures  # reads every byte
        except (OSError, arrow.ArrowException):
            return False


def packed(tables: list[arrow.Table], digest: str, study: dict[str, str]) -> bytes:
    """A shard as the bytes of its file, from the rows of its batches. digest, study: as the plan has them."""
    buffer, table = io.BytesIO(), arrow.concat_tables(tables).combine_chunks()
    about = {DIGEST: digest.encode(), STUDY: json.dumps(study).encode()}
    parquet.write_table(table.replace_schema_metadata(about), buffer)
    return buffer.getvalue()


def _metadata(path: Path) -> dict[bytes, bytes]:
    return parquet.read_schema(path).metadata or {}
