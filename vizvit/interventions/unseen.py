"""Patches that nobody looks at: cut off from every token, though they stay in the sequence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from ..errors import CaptureError
from .draft import Draft


@dataclass(frozen=True)
class UnseenPatches:
    """Patches, as (row, col), that no token looks at, themselves included: `KnockOutAttention` to every token at once.

    Their scores are -∞ before the softmax of every head; what they hold themselves goes on changing by what they see.
    layers: None is all. Raises CaptureError where nothing is left to look at.
    """

    patches: Collection[tuple[int, int]]
    layers: Collection[int] | None = None
    stage: ClassVar[int] = 2

    def __post_init__(self):
        object.__setattr__(self, "patches", frozenset(map(tuple, self.patches)))
        object.__setattr__(self, "layers", None if self.layers is None else frozenset(self.layers))

    def apply(self, draft: Draft) -> None:
        grid = draft.grid
        numbers = {draft.number(patch) for patch in self.patches} - draft.dropped
        keys = [grid.token(*divmod(number, grid.cols)) for number in sorted(numbers)]
        if len(keys) == grid.num_tokens:
            raise CaptureError(
                "A token has to be left something to look at: all patches are unseen, and there is no other."
            )
        pairs = torch.cartesian_prod(draft.index(list(range(grid.num_tokens))), draft.index(keys)).T
        for layer in draft.layers(self.layers):
            plan = draft.plans[layer]
            masked = pairs if plan.masked is None else torch.cat([plan.masked, pairs], dim=1).unique(dim=1)
            draft.plans[layer] = replace(plan, masked=masked)
