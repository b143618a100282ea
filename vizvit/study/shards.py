"""Finished shards on disk: written whole or not at all, and kept only while they are what would be measured again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as arrow
from pyarrow import parquet

from ..errors import ModelError
from ..files import removed, write_bytes
from ..pictures.parquet import CHANGED
from .plan import Plan

DIGEST, STUDY = b"vizvit.shard", b"vizvit.study"


@dataclass
class Kept:
    """What is here of a plan: the numbers of the `finished` shards; of one that was `begun` how many rows; `pictures`
    of either, and the `total` of the plan."""

    finished: set[int] = field(default_factory=set)
    begun: dict[int, int] = field(default_factory=dict)
    pictures: int = 0
    total: int = 0


class Shards:
    """The folder `shards` of a study: one Parquet file a shard, and one of the first rows of a shard that was begun."""

    def __init__(self, out: Path):
        self.folder = out / "shards"

    def path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.parquet"

    def beginning(self, number: int) -> Path:
        return self.folder / f"{number:06d}.begun.parquet"

    def any(self) -> bool:
        return self._some() is not None

    def clear(self) -> None:
        for path in (*self.folder.glob("*.parquet"), *self.folder.glob("*.part")):
            removed(path)

    def kept(self, plan: Plan) -> Kept:
        """What of the plan need not be measured again."""
        kept = Kept()
        for shard in plan.shards():
            kept.total += len(shard.places)
            if _rows(self.path(shard.number), shard.digest) == len(shard.places):
                kept.finished.add(shard.number)
                kept.pictures += len(shard.places)
            elif rows := _rows(self.beginning(shard.number), shard.digest):
                kept.begun[shard.number] = rows
                kept.pictures += rows
        return kept

    def begin(self, number: int, content: bytes) -> None:
        """Keep the first rows of a shard, as `packed` made them, in case the others are never measured."""
        write_bytes(self.beginning(number), content)

    def begun(self, number: int) -> arrow.Table:
        """The rows that `begin` kept."""
        return parquet.read_table(self.beginning(number)).replace_schema_metadata(None)

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
        removed(self.beginning(number))

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
            place = path.name.partition(".")[0]
            if place.isdecimal() and int(place) >= number:
                removed(path)

    def _some(self) -> Path | None:
        return next(self.folder.glob("*.parquet"), None)


def packed(tables: list[arrow.Table], digest: str, study: dict[str, str]) -> bytes:
    """A shard as the bytes of its file, from the rows of its batches. digest, study: as the plan has them."""
    buffer, table = io.BytesIO(), arrow.concat_tables(tables).combine_chunks()
    about = {DIGEST: digest.encode(), STUDY: json.dumps(study).encode()}
    parquet.write_table(table.replace_schema_metadata(about), buffer)
    return buffer.getvalue()


def _rows(path: Path, digest: str) -> int:
    """How many rows a file of this digest has; 0 for another's, and for one that cannot be read to its end."""
    try:
        if _metadata(path).get(DIGEST) != digest.encode():
            return 0
        with parquet.ParquetFile(path) as file:
            return sum(len(rows) for rows in file.iter_batches())  # reads every byte
    except (OSError, arrow.ArrowException):
        return 0


def _metadata(path: Path) -> dict[bytes, bytes]:
    return parquet.read_schema(path).metadata or {}
