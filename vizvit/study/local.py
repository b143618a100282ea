"""A study on one machine: pictures are decoded ahead by other processes, the model sees them in batches."""

from __future__ import annotations

from collections.abc import Callable

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
    """Measure and write every shard that is not finished. progress: called with the number of pictures just done."""
    digests = (shard.digest for shard in plan.shards() if shard.number not in finished)
    tables = []
    for number, last, pictures in loader(Batches(plan, finished, measurer.vit, batch), workers):
        tables.append(measurer(pictures))
        progress(len(pictures))
        if last:
            shards.write(number, packed(tables, next(digests)))
            tables = []
