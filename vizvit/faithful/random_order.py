"""Deletion and insertion in random orders: what a map has to beat, with its spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import CaptureError
from ..explanations.task import predicted
from ..forward.views import checked_view
from ..model.outputs import NOUNS
from ..model.vit import VitModel
from .curves import Curves, Progress, faithfulness_many


@dataclass(frozen=True, eq=False)
class RandomCurves:
    """Curves of several random orders, float32.

    fractions [S+1]; deletion, insertion [seed, S+1]. Means and spreads (standard deviations with n - 1; 0 for a single
    seed) are over the seeds. target: the index of the class or value; fill: what stands where a patch is taken away;
    outputs: as in `Curves`, whose areas these are.
    """

    fractions: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    deletion_areas: np.ndarray
    insertion_areas: np.ndarray
    target: int
    fill: str
    outputs: str = "softmax"

    def __repr__(self) -> str:
        areas = f"deletion {self.deletion_areas.mean():.3f}, insertion {self.insertion_areas.mean():.3f}"
        return f"RandomCurves({areas}, {len(self.deletion)} seeds, {NOUNS[self.outputs]} {self.target}, {self.fill})"

    @property
    def deletion_area(self) -> float:
        """The mean over the seeds."""
        return float(self.deletion_areas.mean())

    @property
    def deletion_area_spread(self) -> float:
        return float(spread(self.deletion_areas))

    @property
    def insertion_area(self) -> float:
        """The mean over the seeds."""
        return float(self.insertion_areas.mean())

    @property
    def insertion_area_spread(self) -> float:
        return float(spread(self.insertion_areas))


def random_curves(
    vit: VitModel,
    view: np.ndarray,
    *,
    seeds: int = 8,
    target: int | str | None = None,
    steps: int | None = None,
    fill: str = "blur",
    batch: int = 32,
    on_progress: Progress | None = None,
) -> RandomCurves:
    """`faithfulness` of `seeds` random orders of the patches, drawn with the seeds 0, 1, …; parameters as there."""
    if seeds < 1:
        raise CaptureError(f"The number of seeds is a whole number from 1; received {seeds}.")
    index = predicted(vit, checked_view(vit, view)) if target is None else vit.class_index(target)
    grid = vit.grid
    heats = [np.random.default_rng(seed).random((grid.rows, grid.cols)) for seed in range(seeds)]
    found: list[Curves] = faithfulness_many(
        vit, [view] * seeds, heats, [index] * seeds, steps=steps, fill=fill, batch=batch, on_progress=on_progress
    )
    return RandomCurves(
        fractions=found[0].fractions,
        deletion=np.stack([curves.deletion for curves in found]),
        insertion=np.stack([curves.insertion for curves in found]),
        deletion_areas=np.array([curves.deletion_area for curves in found], np.float32),
        insertion_areas=np.array([curves.insertion_area for curves in found], np.float32),
        target=index,
        fill=fill,
        outputs=vit.outputs,
    )


def spread(values: np.ndarray) -> np.ndarray:
    """Standard deviation over the first axis, with n - 1; 0 for a single value."""
    return values.std(0, ddof=1) if len(values) > 1 else np.zeros_like(values[0])
