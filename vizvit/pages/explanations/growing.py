"""Deletion and insertion curves of several orders at once, growing step by step.

The pictures and predictions are those of `vizvit.faithfulness` and `vizvit.random_curves`, asked for a few at a time,
so that others get their turn, the curves can be drawn while they grow, and the work can be left after each batch and
taken up again where it stood.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vizvit.faithful import patch_order
from vizvit.faithful.stream import Job, checked_heat, patch_counts, predictions
from vizvit.model.vit import VitModel
from vizvit.model.work import Work
from vizvit.pages.shared.store import once, turn

BATCH = 32
PASS = 100e9  # multiply-adds: of a large model fewer pictures at a time, so that nobody waits long for a turn


@dataclass(eq=False)
class Growing:
    """The curves of one order: order [patch]; values float32 [side, class, S+1], deletion before insertion, NaN where
    nothing is measured yet; done: how many of the S steps are."""

    order: np.ndarray
    values: np.ndarray
    done: int = 0

    @property
    def steps(self) -> int:
        return self.values.shape[-1] - 1

    @property
    def nbytes(self) -> int:
        return self.order.nbytes + self.values.nbytes


def growing(key: Hashable, vit: VitModel, heat: np.ndarray, classes: Sequence[int], steps: int) -> Growing:
    """What there is of a map's curves, for all sessions the same; nothing yet where nobody has asked for them."""

    def begin() -> Growing:
        order = patch_order(checked_heat(heat, vit.grid))
        return Growing(order, np.full((2, len(classes), steps + 1), np.nan, np.float32))

    return once(key, begin)


def grow(
    vit: VitModel,
    view: np.ndarray,
    every: Sequence[Growing],
    classes: tuple[int, ...],
    fill: str,
) -> Iterator[None]:
    """Measure what is missing, one curve after another, each from left to right; one turn a batch.

    Sessions that ask for the same share the work.
    """
    counts = patch_counts(vit.grid.rows * vit.grid.cols, every[0].steps)
    batch = int(max(2, min(BATCH, PASS // Work.of(vit).multiply_adds)))
    while any(curves.done < curves.steps for curves in every):
        with turn(heavy=True):
            _grow(vit, view, every, classes, fill, counts, batch)
        yield


def _grow(vit, view, every, classes, fill, counts, batch) -> None:
    """One batch: of the first curves that are not complete as many as go in, or a part of one: what a person waits for
    is a curve, not the first steps of all."""
    total = len(counts) - 1
    missing = [curves for curves in every if curves.done < total]
    if not missing:  # another session was faster
        return
    first = missing[0].done
    some = [curves for curves in missing if curves.done == first][: max(1, batch // (2 * (total - first)))]
    last = min(first + max(1, batch // (2 * len(some))), total)
    jobs = [Job(view, curves.order, classes) for curves in some]
    sides = predictions(vit, jobs, counts[first : last + 1], fill, batch, None)
    for number, curves in enumerate(some):
        for side in (0, 1):
            curves.values[side, :, first:last] = sides[side][number, :, :-1]
        if last == curves.steps:  # where one curve ends, the other one begins
            curves.values[:, :, -1] = curves.values[::-1, :, 0]
        curves.done = last
