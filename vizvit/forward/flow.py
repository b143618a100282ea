"""What the prediction has of each token along gradient-weighted attention, G = mean_h (A ⊙ ∂y/∂A)⁺ of each layer.

A row over the tokens, taken through the layers from the last down: by R ← R + R G, which is relevance, or by
R ← R rownorm(residual·I + (1 - residual)·G), which is gradient rollout. The backward pass meets the layers in the same
order, so that both can be taken along with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

RESIDUAL = 0.5  # of a rollout where none is given
Pieces = Iterable[tuple[slice, torch.Tensor]]  # of one layer: some queries at a time, and their rows [query, key]


class Flow:
    """start [token]: what is read, as weights over the tokens. residual: of a rollout; None is relevance.

    own, gained [token]: what the row is by now, its part over skip connections alone and the rest; apart, since the
    one may be 10⁹ times as large as the other.
    """

    def __init__(self, start: torch.Tensor, residual: float | None = None):
        self.start, self.residual = start, residual
        self.own, self.gained = start, torch.zeros_like(start)

    @property
    def row(self) -> torch.Tensor:
        return self.own + self.gained

    @property
    def span(self) -> slice:
        return span_of(self.row)


class Flows:
    """Relevance and gradient rollout of one read-out, which a backward pass takes through its layers."""

    def __init__(self, start: torch.Tensor, num_layers: int):
        self._flows: tuple[Flow, ...] = (Flow(start), Flow(start, RESIDUAL))
        self._awaited = num_layers - 1

    @property
    def span(self) -> slice:
        """The queries that matter in the next layer."""
        return self._flows[0].span if self._flows else slice(0, 0)

    @property
    def done(self) -> tuple[Flow, ...]:
        """Those that went through every layer."""
        return self._flows if self._awaited < 0 else ()

    def take(self, layer: int, pieces: Pieces) -> None:
        """Through one layer; all pieces are asked for. None is done where a layer comes out of its turn."""
        if layer != self._awaited:
            self._flows = ()
        self._awaited = layer - 1
        through_layer(self._flows, pieces)


def through_layer(flows: Sequence[Flow], pieces: Pieces) -> None:
    """Take flows through a layer. Queries that no piece is of must be ones that no flow has anything of."""
    rows = [flow.row for flow in flows]
    kept, through = ([torch.zeros_like(row) for row in rows] for _ in range(2))
    for queries, weighted in pieces:
        for index, flow in enumerate(flows):
            some = rows[index][queries]
            if flow.residual is None:
                kept[index][queries] = 1
            else:
                kept[index][queries], share = shares(weighted, flow.residual)
                some = some * share
            through[index] += some @ weighted
    for flow, own, gained in zip(flows, kept, through, strict=True):
        flow.own, flow.gained = flow.own * own, flow.gained * own + gained


def shares(fused: torch.Tensor, residual: float) -> tuple[torch.Tensor, torch.Tensor]:
    """What rows of rownorm(residual·I + (1 - residual)·fused) have of the identity and of each unit of `fused`
    [query, key], both [query]."""
    total = at_least((1 - residual) * fused.sum(-1) + residual)
    return residual / total, (1 - residual) / total


def at_least(total: torch.Tensor) -> torch.Tensor:
    """What can be divided by."""
    return total.clamp_min(torch.finfo(total.dtype).tiny)


def span_of(row: torch.Tensor) -> slice:
    """The tokens between the first and the last that a row has anything of: often the query alone."""
    some = row.nonzero()[:, 0]
    return slice(int(some[0]), int(some[-1]) + 1) if len(some) else slice(0, 0)
