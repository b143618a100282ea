"""A study on one machine: pictures are decoded ahead by other processes, the model sees them in batches."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ModelError
from ..pictures.parquet import CHANGED
from .plan import Plan
from .prepare import Batches, loader
from .rows import Measurer
from .shards import Shards, packed


def run_here(
    measurer: Measurer,
    plan: Plan,
    finished: frozenset[int],
    shards: Shards,
    *,
    batch: int,
    workers: int,
    progress: Callable[[int], None],
) -> None:
    """Measure and write every shard that is not finished. progress: called with the number of pictures just done.

    Raises ModelError where the pictures change meanwhile, so that a shard's batches are of several states of them.
    """
    tables, begun = [], None
    for shard, digest, last, pictures, error in loader(Batches(plan, finished, measurer.vit, batch), workers):
        if error:
            raise ModelError(error)
        if begun not in (None, (shard, digest)):
            raise ModelError(CHANGED)
        begun = None if last else (shard, digest)
        tables.append(measurer(pictures))
        if last:
            shards.write(shard, packed(tables, digest, plan.study))
            tables = []
        progress(len(pictures))
    if begun:
        raise ModelError(CHANGED)
