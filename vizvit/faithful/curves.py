"""Deletion and insertion: a class's probability, or a value, as patches go, or come, in the order of a map.

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
from ..model.outputs import NOUNS
from ..model.vit import VitModel
from .stream import Job, checked_heat, patch_counts, patch_order, predictions

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Curves:
    """How the probability of a class, or a value, follows a map, float32 [S+1] each.

    fractions: the share of the patches taken, 0 to 1.
    deletion: the probability with those patches replaced by the fill; insertion: with those patches alone shown, all
    others filled. Of a model of values the value itself, in its own units.
    deletion_area, insertion_area: under the curves, by the trapezoidal rule: the lower, and the higher, the better the
    map. Of probabilities from 0 to 1; of a value as `departure` has it, in its own units.
    target: the index of the class or value. fill: what stands where a patch is taken away. outputs: the model's, see
    `VitModel.wrap`.
    """

    fractions: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    target: int
    fill: str
    outputs: str = "softmax"

    def __repr__(self) -> str:
        areas = f"deletion {self.deletion_area:.3f}, insertion {self.insertion_area:.3f}"
        noun = NOUNS[self.outputs]
        return f"Curves({areas}, {len(self.fractions) - 1} steps, {noun} {self.target}, {self.fill})"

    @property
    def deletion_area(self) -> float:
        return areas(self.fractions, self.deletion, self.insertion, self.outputs)[0]

    @property
    def insertion_area(self) -> float:
        return areas(self.fractions, self.deletion, self.insertion, self.outputs)[1]


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
    target: a class by index or name; None is the one predicted for the whole picture, or the first of the values.
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
    curves = zip(*predictions(vit, jobs, counts, fill, batch, on_progress), indices, strict=True)
    return [
        Curves(fractions, deletion[0], insertion[0], index, fill, vit.outputs) for deletion, insertion, index in curves
    ]


def areas(fractions: np.ndarray, deletion: np.ndarray, insertion: np.ndarray, outputs: str) -> tuple[float, float]:
    """Under both curves of a map, [S+1] each; of a value as `departure` has it."""
    if outputs == "value":
        whole, empty = float(deletion[0]), float(deletion[-1])
        deletion, insertion = (departure(curve, whole, empty) for curve in (deletion, insertion))
    return area(fractions, deletion), area(fractions, insertion)


def departure(values: np.ndarray, whole: float, empty: float) -> np.ndarray:
    """How far values lie from that of the wholly filled picture, positive towards that of the whole one.

    A value has no zero that means "nothing is left", and the whole picture's may be the lower one. So measured, a map
    is the better the sooner deletion comes down to 0, and insertion up to |whole - empty|, as with a probability.
    """
    return np.sign(whole - empty) * (np.asarray(values, np.float64) - empty)


def area(fractions: Iterable[float], values: Iterable[float]) -> float:
    """Under a curve, by the trapezoidal rule."""
    return float(np.trapezoid(np.asarray(values, np.float64), np.asarray(fractions, np.float64)))
