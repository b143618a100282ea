"""Does a map owe anything to training? Its likeness to the map of ever more randomised weights.

Adebayo et al., "Sanity Checks for Saliency Maps" (NeurIPS 2018), section 3: cascading randomisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..analysis.ranks import rank_correlation
from ..explanations import explain
from ..explanations.methods import find_method
from ..explanations.task import predicted
from ..forward.views import checked_view
from ..interventions import RandomWeights, intervene
from ..model.vit import VitModel
from .curves import Progress


@dataclass(frozen=True, eq=False)
class Randomisation:
    """What became of a map.

    blocks: how many blocks were randomised, counted from the last, int64 [n]; 0 is the classifier alone.
    correlation: Spearman's, with the map of the model as it is, float32 [n]; NaN where a map is constant.
    maps: the maps themselves, float32 [n, rows, cols]. original: of the model as it is, float32 [rows, cols].
    target: the index of the class that is explained throughout; None where the method knows none.
    """

    blocks: np.ndarray
    correlation: np.ndarray
    maps: np.ndarray
    original: np.ndarray
    target: int | None

    def __repr__(self) -> str:
        found = ", ".join(f"{blocks}: {value:.2f}" for blocks, value in zip(self.blocks, self.correlation, strict=True))
        return f"Randomisation(correlation by blocks {found})"

    @classmethod
    def of(
        cls, blocks: Sequence[int], original: np.ndarray, maps: Sequence[np.ndarray], target: int | None
    ) -> Randomisation:
        """Of a map and what became of it with so many blocks made random."""
        correlation = [rank_correlation(original, heat) for heat in maps]
        return cls(
            np.array(blocks, np.int64), np.array(correlation, np.float32), np.stack(list(maps)), original, target
        )


def weight_randomisation(
    vit: VitModel,
    view: np.ndarray,
    method: str,
    *,
    layers: Sequence[int] | None = None,
    target: int | str | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
    **options: Any,
) -> Randomisation:
    """A method's map while the weights are made random from the top, as `vizvit.RandomWeights` does.

    layers: how many blocks to randomise, counted from the last, in turn; None is 0 (the classifier alone) to all.
    target: None is the class that the model predicts before. options: the method's own.
    on_progress: called as (done, total) after each map, the original one included; what it raises ends the work.
    A method that does not change cannot show what the model has learned. Errors as in `explain`; CaptureError for a
    number of blocks that there are not.
    """
    needs_target = find_method(method).needs_target
    view = checked_view(vit, view)
    index = None if target is None else vit.class_index(target)
    if needs_target and index is None:
        index = predicted(vit, view)
    blocks = numbers_of_blocks(vit) if layers is None else [int(count) for count in layers]
    tell = on_progress or (lambda done, total: None)
    original = explain(vit, view, method, target=index, **options)
    tell(1, len(blocks) + 1)
    maps = []
    for done, count in enumerate(blocks, 2):
        maps.append(randomised_map(vit, view, method, count, target=index, seed=seed, **options))
        tell(done, len(blocks) + 1)
    return Randomisation.of(blocks, original, maps, index if needs_target else None)


def numbers_of_blocks(vit: VitModel) -> list[int]:
    """How many blocks can be made random, counted from the last; 0, the classifier alone, where there is one."""
    return list(range(0 if vit.labels else 1, vit.num_layers + 1))


def randomised_map(
    vit: VitModel,
    view: np.ndarray,
    method: str,
    blocks: int,
    *,
    target: int | str | None = None,
    seed: int = 0,
    **options: Any,
) -> np.ndarray:
    """One of the maps of `weight_randomisation`: with that many blocks made random, float32 [rows, cols].

    target: None is the class that the changed model predicts.
    """
    with intervene(vit, RandomWeights(blocks, seed=seed)) as changed:
        return explain(changed, view, method, target=target, **options)
