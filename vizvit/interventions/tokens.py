"""Changes of the sequence: its patches in another order, or some of them left out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from ..errors import CaptureError
from ..model.timm_embedding import patch_embed_of
from .draft import Draft, Patch, become, freeze


@dataclass(frozen=True)
class ShufflePatches:
    """The patch embeddings in another order, drawn with `seed`, before positions are added.

    A patch thereby gets another place's position. A capture's maps show each patch where it is in the picture.
    """

    seed: int = 0
    stage: ClassVar[int] = 0

    def apply(self, draft: Draft) -> None:
        embed = patch_embed_of(draft.module)
        if embed is None:
            raise CaptureError(
                f"Patches of {draft.vit.name} cannot be shuffled: it embeds and places them in one step."
            )
        order = np.random.default_rng(self.seed).permutation(len(draft.order)).tolist()
        draft.order = [draft.order[place] for place in order]
        become(embed, _ShuffledEmbedding).order = draft.index(draft.order)


class _ShuffledEmbedding(nn.Module):
    """To be put before a patch embedding's class."""

    order: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = super().forward(x)  # [1, patch, dim], or [1, row, col, dim]
        return x.flatten(1, -2)[:, self.order].reshape(x.shape)


@dataclass(frozen=True)
class DropPatches:
    """Patches, as (row, col), that are left out of the sequence after positions were added: it is shorter by them.

    In a capture's grid they are `missing` and its maps are 0 there: no token looks at them, nothing reaches them.
    """

    patches: Collection[Patch]
    stage: ClassVar[int] = 1

    def __post_init__(self):
        freeze(self, "patches")

    def apply(self, draft: Draft) -> None:
        draft.dropped |= {draft.number(patch) for patch in self.patches}
        if len(draft.dropped) == len(draft.order):
            raise CaptureError("All patches are dropped, but at least one has to stay.")
