"""Changes of what a model knows of places: added embeddings, rotations, relative biases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from ..errors import CaptureError
from ..model import timm_embedding
from .draft import Draft, Patch, become, edit

HOWS = ("zero", "shuffle", "swap")


@dataclass(frozen=True)
class PositionEmbedding:
    """Position embeddings zeroed, shuffled among the patches, or swapped between two of them.

    how: "zero" makes added embeddings (those of prefix tokens as well) and relative biases 0 and rotates by no angle;
        "shuffle" gives every patch the position of another, drawn with `seed`; "swap" exchanges two `patches`,
        ((row, col), (row, col)). Prefix tokens keep theirs in the latter two.
    All kinds that a model has are changed together and alike. Raises CaptureError where it has none.
    """

    how: str
    seed: int = 0
    patches: tuple[Patch, Patch] | None = None
    stage: ClassVar[int] = 2

    def __post_init__(self):
        if self.how not in HOWS:
            raise CaptureError(f"Position embeddings can be changed by {', '.join(HOWS)}; received {self.how!r}.")
        if self.how != "swap":
            return
        try:
            first, second = (tuple(patch) for patch in self.patches)
        except (TypeError, ValueError):
            received = f"received {self.patches!r}"
            raise CaptureError(f"Two patches are swapped, ((row, col), (row, col)); {received}.") from None
        object.__setattr__(self, "patches", (first, second))

    def apply(self, draft: Draft) -> None:
        order = self._order(draft)
        changed = [change(draft, order) for change in (_added, _rotary, _relative)]
        if not any(changed):
            raise CaptureError(f"{draft.vit.name} has no position embeddings that could be changed.")

    def _order(self, draft: Draft) -> list[int] | None:
        """For each place the place whose position it gets; None for no positions at all."""
        count = len(draft.order)
        if self.how == "zero":
            return None
        if self.how == "shuffle":
            return np.random.default_rng(self.seed).permutation(count).tolist()
        order = list(range(count))
        first, second = (draft.number(patch) for patch in self.patches)
        order[first], order[second] = second, first
        return order


def _added(draft: Draft, order: list[int] | None) -> bool:
    holder = timm_embedding.learned_by(draft.module)
    tables = {name: table.detach() for name, table in timm_embedding.position_parameters(draft.module).items()}
    for name, table in tables.items():
        if order is None:
            edit(holder, name, torch.zeros_like(table))
            continue
        prefix = table.shape[1] - len(order)
        if holder is not draft.module or prefix not in (0, draft.vit.grid.num_prefix_tokens):
            raise CaptureError(
                f"Positions of {draft.vit.name} cannot be moved: its table is made for another grid and resampled. "
                f"They can be zeroed."
            )
        edit(holder, name, table[:, draft.index([*range(prefix), *(prefix + place for place in order)])])
    return bool(tables)


def _rotary(draft: Draft, order: list[int] | None) -> bool:
    rope = timm_embedding.rotary(draft.module)
    if rope is None:
        return False
    if draft.vit.rotary_embedding() is None:
        raise CaptureError(f"The rotations of {draft.vit.name} cannot be changed: they are not one table of patches.")
    earlier = getattr(rope, "orders", ())
    become(rope, _ChangedRotations).orders = (*earlier, None if order is None else draft.index(order))
    return True


class _ChangedRotations(nn.Module):
    """To be put before the class of a rotary embedding."""

    orders: tuple[torch.Tensor | None, ...]

    def get_embed(self, *args, **kwargs) -> torch.Tensor:
        table = super().get_embed(*args, **kwargs)  # [..., patch, sin | cos]
        for order in self.orders:
            if order is None:
                sin, cos = table.chunk(2, -1)
                table = torch.cat([torch.zeros_like(sin), torch.ones_like(cos)], -1)
            else:
                table = table[..., order, :]
        return table


def _relative(draft: Draft, order: list[int] | None) -> bool:
    if not timm_embedding.has_relative_bias(draft.module):
        return False
    prefix = draft.vit.grid.num_prefix_tokens
    change = None if order is None else draft.index([*range(prefix), *(prefix + place for place in order)])
    draft.plans = [replace(plan, biases=(*plan.biases, change)) for plan in draft.plans]
    return True
