"""Deletion and insertion: the class's probability as patches go, or come, in the order of a map.

Petsiuk, Das & Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models" (BMVC 2018), section 4.1;
here in whole patches: all pixels of a patch go together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import CaptureError
from ..explanations.task import predicted
from ..forward.views import checked_view
from ..model.vit import VitModel
from .stream import Job, checked_heat, patch_counts, patch_order, probabilities

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Curves:
    """How the probability of a class follows a map, float32 [S+1] each.

    fractions: the share of the patches taken, 0 to 1.
    deletion: the probability with those patches replaced by the fill: the lower, the better the map.
    insertion: with those patches alone shown, all others filled: the higher, the better.
    deletion_area, insertion_area: under the curves, 0 to 1, by the trapezoidal rule.
    target: the index of the class. fill: what stands where a patch is taken away.
    """

    fractions: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    target: int
    fill: str

    def __repr__(self) -> str:
        areas = f"deletion {self.deletion_area:.3f}, insertion {self.insertion_area:.3f}"
        return f"Curves({areas}, {len(self.fractions) - 1} steps, class {self.target}, {self.fill})"

    @property
    def deletion_area(self) -> float:
        return area(self.fractions, self.deletion)

    @property
    def insertion_area(self) -> float:
        return area(self.fractions, self.insertion)


def faithfulness(
    vit: VitModel,
    view: np.ndarray,
    heat: np.ndarray,
    *,
    target: int | str | None = None,
    steps: int | None = None,
    fill: str = "blur",
    batch: int = 32,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Curves:
    """Deletion and insertion curves of one map.

    view: uint8 [H, W, 3], as `VitModel.view` gives it. heat: [rows, cols]; only its order matters, the greatest first.
        Patches of one value are in a random order drawn with `seed`.
    target: a class by index or name; None is the one predicted for the whole picture.
    steps: points of a curve after the first, the patches shared out as evenly as can be; None is one a patch.
    fill: "blur" (a Gaussian whose standard deviation is one patch), "mean" (the view's mean colour) or "black": what
        replaces a patch in deletion, and what insertion starts from.
    batch: pictures in one forward pass. They are made batch by batch: memory does not grow with the steps.
    on_progress: called as (done, total) pictures after each batch; what it raises ends the work.
    Raises CaptureError for another shape of view or map, or steps that cannot be; ModelError for an unknown class or a
    model without classes; ImageError for an unknown fill.
    """
    index = predicted(vit, checked_view(vit, view)) if target is None else target
    return faithfulness_many(
        vit, [view], [heat], [index], steps=steps, fill=fill, batch=batch, seed=seed, on_progress=on_progress
    )[0]


def faithfulness_many(
    vit: VitModel,
    views: Sequence[np.ndarray],
    heats: Sequence[np.ndarray],
    targets: Sequence[int | str],
    *,
    steps: int | None = None,
    fill: str = "blur",
    batch: int = 32,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> list[Curves]:
    """`faithfulness` of many maps, whose pictures share the batches; one view may stand there several times.

    views, heats, targets: one each for every map. A list in, a list out: for many pictures give a few at a time.
    """
    if not len(views) == len(heats) == len(targets):
        raise CaptureError(
            f"Got {len(views)} views, {len(heats)} maps and {len(targets)} targets, but as many of each were expected."
        )
    if batch < 1:
        raise CaptureError(f"A batch is a whole number from 1; received {batch}.")
    indices = [vit.class_index(target) for target in targets]
    counts = patch_counts(vit.grid.rows * vit.grid.cols, steps)
    jobs = [
        Job(checked_view(vit, view), patch_order(checked_heat(heat, vit.grid), seed=seed), (index,))
        for view, heat, index in zip(views, heats, indices, strict=True)
    ]
    if not jobs:
        return []
    fractions = (counts / counts[-1]).astype(np.float32)
    curves = zip(*probabilities(vit, jobs, counts, fill, batch, on_progress), indices, strict=True)
    return [Curves(fractions, deletion[0], insertion[0], index, fill) for deletion, insertion, index in curves]


def area(fractions: Iterable[float], values: Iterable[float]) -> float:
    """Under a curve, by the trapezoidal rule."""
    return float(np.trapezoid(np.asarray(values, np.float64), np.asarray(fractions, np.float64)))
