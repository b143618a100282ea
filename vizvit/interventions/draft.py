"""A twin of a model while changes are being worked into it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import nn

from ..errors import CaptureError
from ..grid import PatchGrid
from ..model.tokens import find_layer
from ..model.twin import twin
from ..model.vit import VitModel
from .block import ChangedBlock, Plan

Patch = tuple[int, int]  # (row, col)


class Draft:
    """What the changes write to.

    vit: the original. module: its twin, whose parts may be replaced and whose parameters are shared.
    plans: one a block, what is to happen when it runs.
    order: the sequence of patches before any is dropped, as numbers of the picture's patches, row by row.
    dropped: numbers of the patches that are left out.
    """

    def __init__(self, vit: VitModel):
        self.vit = vit
        self.module = twin(vit.module)
        self.plans = [Plan() for _ in range(vit.num_layers)]
        self.order = list(range(vit.grid.rows * vit.grid.cols))
        self.dropped: set[int] = set()

    @property
    def blocks(self) -> list[nn.Module]:
        return list(self.module.blocks)

    @property
    def grid(self) -> PatchGrid:
        """The grid of what has been changed up to now."""
        kept = tuple(number for number in self.order if number not in self.dropped)
        return replace(self.vit.grid, order=None if kept == tuple(range(len(self.order))) else kept)

    def number(self, patch: Patch) -> int:
        """A patch of the picture, (row, col), as a number row by row; CaptureError for one that there is not."""
        try:
            row, col = (int(value) for value in patch)
            self.vit.grid.box(row, col)
        except (TypeError, ValueError):
            raise CaptureError(f"A patch is (row, col); received {patch!r}.") from None
        except IndexError as error:
            raise CaptureError(str(error)) from None
        return row * self.vit.grid.cols + col

    def layers(self, wanted: Collection[int] | None) -> list[int]:
        """The layers meant, from 0; None is all, negative numbers count from the end."""
        if wanted is None:
            return list(range(self.vit.num_layers))
        return sorted({find_layer(self.vit, layer) for layer in sorted(wanted)})

    def index(self, values: Sequence[int] | Sequence[Sequence[int]]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=self.vit.device)

    def finish(self) -> nn.Module:
        prefix, full = self.vit.grid.num_prefix_tokens, self.vit.grid.num_tokens
        if self.dropped:
            kept = [place for place, number in enumerate(self.order) if number not in self.dropped]
            keep = self.index([*range(prefix), *(prefix + place for place in kept)])
            self.plans = [replace(plan, keep=keep, full=full) for plan in self.plans]
        for layer, (block, plan) in enumerate(zip(self.blocks, self.plans, strict=True)):
            if plan.masked is not None and plan.masked[0].bincount().eq(self.grid.num_tokens).any():
                raise CaptureError("A token has to be left something to look at: all are knocked out.")
            if not plan.empty:
                become(block, ChangedBlock).plan = replace(plan, first=layer == 0)
                block.kept_tokens = plan.keep
        return self.module


def become(module: nn.Module, mixin: type) -> nn.Module:
    """The module itself, of a class that puts the mixin's methods before its own: copies of it keep the change."""
    if not isinstance(module, mixin):
        base: type = type(module)
        module.__class__ = _mixed(mixin, base)
    return module


@cache
def _mixed(mixin: type, base: type) -> type:
    return type(base.__name__, (mixin, base), {"__module__": base.__module__, "__doc__": base.__doc__})


def edit(module: nn.Module, name: str, value: torch.Tensor) -> None:
    """Give a part of a twin a parameter or buffer of its own."""
    if name in module._buffers:
        module._buffers[name] = value
    else:
        module._parameters[name] = nn.Parameter(value, requires_grad=False)


def freeze(change: object, *names: str) -> None:
    """Collections of a change as frozensets, so that it is hashable whatever it was made with."""
    for name in names:
        value = getattr(change, name)
        if value is not None:
            object.__setattr__(change, name, frozenset(tuple(v) if isinstance(v, Iterable) else v for v in value))
