"""That self-attention ignores order, as a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..forward.capture import capture_view
from ..model.vit import VitModel
from .intervene import intervene
from .positions import PositionEmbedding
from .tokens import ShufflePatches


@dataclass(frozen=True)
class OrderDifference:
    """The greatest absolute difference that shuffling the patches makes to what is read out after the last block.

    zeroed: without positions, where only rounding is left. kept: with positions as trained. largest: the greatest
    magnitude of what is read out, as trained, to judge both by.
    """

    zeroed: float
    kept: float
    largest: float


def shuffled_class_difference(vit: VitModel, view: np.ndarray, seed: int = 0) -> OrderDifference:
    """What the class token's output after the last block owes to the patches' order; without one, the patches' mean.

    view: uint8 [H, W, 3], as in `capture_view`. Four forward passes. Raises CaptureError where positions cannot be
    zeroed or patches shuffled.
    """
    zero, shuffle = PositionEmbedding("zero"), ShufflePatches(seed)
    plain = _read_out(vit, view)
    kept = np.abs(_read_out(vit, view, shuffle) - plain).max()
    zeroed = np.abs(_read_out(vit, view, zero, shuffle) - _read_out(vit, view, zero)).max()
    return OrderDifference(float(zeroed), float(kept), float(np.abs(plain).max()))


def _read_out(vit: VitModel, view: np.ndarray, *changes) -> np.ndarray:
    with intervene(vit, *changes) as changed:
        tokens = capture_view(changed, view).tokens(-1)
    names = changed.grid.prefix_names
    return tokens[names.index("class")] if "class" in names else tokens[len(names) :].mean(0)
