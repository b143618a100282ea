"""Deletion and insertion curves of several maps at once, growing step by step.

The pictures and probabilities are those of `vizvit.faithfulness` and `vizvit.random_curves`, asked for a few at a time,
so that others get their turn, the curves can be drawn while they grow, and the work can be left after each batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vizvit.faithful import Curves, RandomCurves, patch_order
from vizvit.faithful.curves import area
from vizvit.faithful.order import checked_heat, patch_counts
from vizvit.faithful.stream import Job, probabilities
from vizvit.model import VitModel
from vizvit.pages.store import turn

SEEDS = 8
BATCH = 32
LARGE, LARGE_BATCH = 20_000_000, 8  # of a large model fewer at a time: nobody waits long for a turn or for the end


@dataclass(frozen=True, eq=False)
class Growth:
    """Curves so far, float32 [map, S+1], NaN where nothing is measured yet; the last SEEDS are random orders."""

    fractions: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    done: int
    total: int


def measure(
    vit: VitModel,
    view: np.ndarray,
    heats: Sequence[np.ndarray],
    target: int,
    steps: int,
    fill: str,
    wait: Callable[[], None],
) -> Iterator[Growth]:
    """Grow the curves of these maps and of random orders from left to right; one turn a batch."""
    grid = vit.grid
    randoms = [np.random.default_rng(seed).random((grid.rows, grid.cols)) for seed in range(SEEDS)]
    jobs = [Job(view, patch_order(checked_heat(heat, grid)), target) for heat in [*heats, *randoms]]
    counts = patch_counts(grid.rows * grid.cols, steps)
    fractions = (counts / counts[-1]).astype(np.float32)
    deletion, insertion = np.full((2, len(jobs), steps + 1), np.nan, np.float32)
    batch = LARGE_BATCH if vit.num_parameters > LARGE else BATCH
    done, total = 0, 2 * steps * len(jobs)
    for step in range(steps):
        for first in range(0, len(jobs), batch // 2):
            some = slice(first, first + batch // 2)
            with turn(wait):
                two = probabilities(vit, jobs[some], counts[[step, step + 1]], fill, batch, None)
            deletion[some, step], insertion[some, step] = two[0][:, 0], two[1][:, 0]
            done += 2 * len(jobs[some])
            if step == steps - 1:  # where one curve ends, the other one begins
                deletion[some, -1], insertion[some, -1] = insertion[some, 0], deletion[some, 0]
            yield Growth(fractions, deletion, insertion, done, total)


def curves_of(growth: Growth, target: int, fill: str) -> tuple[list[Curves], RandomCurves]:
    """What came out in the end: of each map, and of the random orders."""
    both = list(zip(growth.deletion, growth.insertion, strict=True))
    found = [Curves(growth.fractions, *pair, target, fill) for pair in both[:-SEEDS]]
    areas = [np.array([area(growth.fractions, pair[side]) for pair in both[-SEEDS:]], np.float32) for side in (0, 1)]
    chance = RandomCurves(
        growth.fractions, growth.deletion[-SEEDS:], growth.insertion[-SEEDS:], *areas, target=target, fill=fill
    )
    return found, chance
