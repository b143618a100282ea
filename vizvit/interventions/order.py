"""That self-attention ignores order, as a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ..forward.recorder import Recorder
from ..forward.views import checked_view
from ..model.given import checked_model
from ..model.vit import VitModel
from .intervene import Change, intervene
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


def shuffled_class_difference(
    vit: VitModel, view: np.ndarray, seed: int = 0, *, on_progress: Callable[[int, int], None] | None = None
) -> OrderDifference:
    """What the class token's output after the last block owes to the patches' order; without one, the patches' mean.

    view: uint8 [H, W, 3], as in `capture_view`. on_progress: called as (done, total) after each of four forward passes;
    what it raises ends the work. Raises CaptureError where positions cannot be zeroed or patches shuffled.
    """
    checked_model(vit)
    pixels = vit.normalise(checked_view(vit, view))
    zero, shuffle = PositionEmbedding("zero"), ShufflePatches(seed)
    asked: tuple[tuple[Change, ...], ...] = ((), (shuffle,), (zero,), (zero, shuffle))
    found = []
    for changes in asked:
        found.append(_read_out(vit, pixels, changes))
        if on_progress is not None:
            on_progress(len(found), len(asked))
    plain, shuffled, without, neither = found
    zeroed, kept = np.abs(neither - without).max(), np.abs(shuffled - plain).max()
    return OrderDifference(float(zeroed), float(kept), float(np.abs(plain).max()))


@torch.no_grad()
def _read_out(vit: VitModel, pixels: torch.Tensor, changes: tuple[Change, ...]) -> np.ndarray:
    """[dim], of one forward pass."""
    with intervene(vit, *changes) as changed, Recorder(vit.num_layers) as recorder:
        recorder.watch(changed.module, keep_streams=True)(pixels)
    tokens, names = recorder.streams[-1].float().cpu().numpy(), changed.grid.prefix_names
    return tokens[names.index("class")] if "class" in names else tokens[len(names) :].mean(0)
