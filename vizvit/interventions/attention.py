"""Changes of what attention does: its temperature, its scale, its heads, its layers, who may look at whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from ..errors import CaptureError
from ..model.timm_parts import output_projection
from ..model.tokens import Token, find_token
from .draft import Draft, Patch, edit, freeze


@dataclass(frozen=True)
class Temperature:
    """softmax(scores / t) in place of softmax(scores): below 1 sharper, above 1 more even.

    The scores are q·k/√d, and the relative position bias where there is one. layers: None is all.
    """

    t: float
    layers: Collection[int] | None = None
    stage: ClassVar[int] = 2

    def __post_init__(self):
        if not 0 < self.t < float("inf"):
            raise CaptureError(f"A temperature is a number above 0; received {self.t!r}.")
        freeze(self, "layers")

    def apply(self, draft: Draft) -> None:
        for layer in draft.layers(self.layers):
            plan = draft.plans[layer]
            draft.plans[layer] = replace(plan, temperature=plan.temperature * self.t)


@dataclass(frozen=True)
class NoScaling:
    """softmax(q·k) in place of softmax(q·k/√d). layers: None is all."""

    layers: Collection[int] | None = None
    stage: ClassVar[int] = 2

    def __post_init__(self):
        freeze(self, "layers")

    def apply(self, draft: Draft) -> None:
        for layer in draft.layers(self.layers):
            draft.plans[layer] = replace(draft.plans[layer], unscaled=True)


@dataclass(frozen=True)
class KnockOutHeads:
    """Heads, as (layer, head), that write nothing to the residual stream: their part of W^O is zero, b^O stays.

    Such a head still computes its queries and keys, but a capture's attention is 0 there, as is its share in fused
    heads and in rollout: what it looked at reaches nothing. Michel, Levy & Neubig, "Are Sixteen Heads Really Better
    than One?" (NeurIPS 2019).
    """

    heads: Collection[tuple[int, int]]
    stage: ClassVar[int] = 3

    def __post_init__(self):
        freeze(self, "heads")

    def apply(self, draft: Draft) -> None:
        for layer, head in sorted(self.heads):
            (layer,) = draft.layers(frozenset([layer]))
            block, count = draft.blocks[layer], draft.vit.num_heads
            if not 0 <= head < count:
                raise CaptureError(f"There is no head {head}: {draft.vit.name} has heads 0 to {count - 1} a layer.")
            found = output_projection(block)
            if found is None:
                raise CaptureError(
                    f"Heads of {draft.vit.name} cannot be knocked out: no output projection W^O was found in it."
                )
            out, width = found
            weight = out.weight.detach().clone()
            weight[:, head * width // count : (head + 1) * width // count] = 0
            edit(out, "weight", weight)
            block.silenced_heads = tuple(sorted({*getattr(block, "silenced_heads", ()), head}))


@dataclass(frozen=True)
class KnockOutLayers:
    """Layers that change nothing: the residual stream passes by attention and MLP.

    A capture's attention is 0 in all heads of such a layer, so that rollout goes through it unchanged.
    """

    layers: Collection[int]
    stage: ClassVar[int] = 3

    def __post_init__(self):
        freeze(self, "layers")

    def apply(self, draft: Draft) -> None:
        for layer in draft.layers(self.layers):
            draft.plans[layer] = replace(draft.plans[layer], skipped=True)
            draft.blocks[layer].silenced_heads = tuple(range(draft.vit.num_heads))


@dataclass(frozen=True)
class KnockOutAttention:
    """A token that never looks at some patches: their scores are -∞ before the softmax of every head.

    from_patches: (row, col) of the patches that are not seen, of which those that are dropped do not count.
    to: the token that does not see them: "cls" or another prefix token, ("patch", row, col), or an index.
    layers: None is all. Geva et al., "Dissecting Recall of Factual Associations" (EMNLP 2023), call it attention
    knockout.
    """

    from_patches: Collection[Patch]
    to: Token = "cls"
    layers: Collection[int] | None = None
    stage: ClassVar[int] = 2

    def __post_init__(self):
        freeze(self, "from_patches", "layers")

    def apply(self, draft: Draft) -> None:
        grid = draft.grid
        query = find_token(replace(draft.vit, grid=grid), self.to)
        numbers = {draft.number(patch) for patch in self.from_patches} - draft.dropped
        keys = sorted(grid.token(*divmod(number, grid.cols)) for number in numbers)
        pairs = draft.index([[query] * len(keys), keys])
        for layer in draft.layers(self.layers):
            plan = draft.plans[layer]
            masked = pairs if plan.masked is None else torch.cat([plan.masked, pairs], dim=1).unique(dim=1)
            draft.plans[layer] = replace(plan, masked=masked)


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
        freeze(self, "patches", "layers")

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
