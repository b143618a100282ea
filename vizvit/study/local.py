"""A study on one machine: pictures are decoded ahead by other processes, the model sees them in batches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from time import monotonic
from types import MappingProxyType

from ..errors import ModelError
from ..pictures.parquet import CHANGED
from .plan import Plan
from .prepare import Batches, loader
from .rows import Measurer
from .shards import Shards, packed

PICTURES, SECONDS = 16, 20.0  # what an interruption loses at most, whichever is less


def run_here(
    measurer: Measurer,
    plan: Plan,
    finished: Collection[int],
    shards: Shards,
    *,
    begun: Mapping[int, int] = MappingProxyType({}),
    batch: int,
    workers: int,
    progress: Callable[[int], None],
) -> None:
    """Measure and write every shard that is not finished. begun: how many rows of a shard `shards` has already.

    progress: called with the number of pictures just done.

    Raises ModelError where the pictures change meanwhile, so that a shard's batches are of several states of them.
    """
    tables, current, pace = [], None, _Pace(batch, slow=measurer.settings.faithfulness)
    for shard, digest, last, pictures, error in loader(Batches(plan, finished, measurer.vit, batch, begun), workers):
        if error:
            raise ModelError(error)
        if current not in (None, (shard, digest)):
            raise ModelError(CHANGED)
        if current is None and shard in begun:
            tables = [shards.begun(shard)]
        current = None if last else (shard, digest)
        count = len(pictures)
        while pictures:
            some, pictures = pictures[: pace.size], pictures[pace.size :]
            tables.append(measurer(some))
            if pace.is_due(len(some)) and (pictures or not last):
                shards.begin(shard, packed(tables, digest, plan.study))
        if last:
            shards.write(shard, packed(tables, digest, plan.study))
            tables = []
        progress(count)
    if current:
        raise ModelError(CHANGED)


class _Pace:
    """How many pictures to measure at once so that they take no longer than SECONDS, and when to keep their rows."""

    def __init__(self, batch: int, *, slow: bool):
        """slow: a single picture may take minutes, so that the first one goes alone."""
        self.size = 1 if slow else batch
        self._batch = batch
        self._measured = self._kept = monotonic()
        self._unkept = 0

    def is_due(self, pictures: int) -> bool:
        """Called when so many have been measured; True where the rows are to be kept now."""
        now = monotonic()
        each = (now - self._measured) / pictures
        self.size = max(1, min(self._batch, int(SECONDS / each) if each else self._batch))
        self._measured, self._unkept = now, self._unkept + pictures
        if self._unkept < PICTURES and now - self._kept < SECONDS:
            return False
        self._kept, self._unkept = now, 0
        return True
