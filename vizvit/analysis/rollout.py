"""Attention rollout: what reaches a token through all layers, if attention is taken as flow.

Abnar & Zuidema, "Quantifying Attention Flow in Transformers" (ACL 2020), section 3:
Ã = rownorm(residual·I + (1 - residual)·fuse(A)), R = Ã_L … Ã_1, read in the query token's row: where what the token
holds at the end comes from. Its column says how much of what it held at the start each token holds at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from ..errors import CaptureError
from ..forward.blocks import Block
from ..forward.capture import Capture
from ..forward.flow import Flow, Pieces, at_least, shares, span_of, through_layer
from ..model.tokens import Token
from .fusion import HEAD_FUSIONS, Area, check_direction, fuse_heads, patch_map, query_row


def rollout(
    cap: Capture,
    *,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
    residual: float = 0.5,
    start_layer: int = 0,
    token: Token | None = None,
    area: Area | None = None,
    direction: str = "from",
) -> np.ndarray:
    """Attention rollout read at a token, float32 [rows, cols]: raw non-negative values, prefix tokens left out.

    head_fusion: "mean", "max" or "min" over the heads.
    discard_ratio: the share of the smallest entries of each fused matrix that is set to zero, 0 to below 1; the class
        token's column and row are kept.
    residual: the weight of the identity, which stands for the residual connection, 0 to 1.
    start_layer: the first layer of the chain.
    token: None reads the class token; without one the pooling head's weights, or else the mean over the patches.
        "read_out" reads what the prediction is read from, which need not be the class token that a model has.
    area: instead of a token, the mean over the patches of a rectangle, (top, left, bottom, right), inclusive.
    direction: "from" reads the token's row of R; "to" its column: how much of what the token held at the start reaches
        each patch. The pooling head, which no token attends to, is left out of it.
    """
    chain = _Chain(cap, head_fusion, discard_ratio, residual, start_layer)
    check_direction(direction)
    if direction == "to":
        *_, column = chain.columns(query_row(cap, token, None, area))
        return patch_map(column, cap)
    return chain.read(token, area)


def rollout_steps(
    cap: Capture,
    *,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
    residual: float = 0.5,
    start_layer: int = 0,
    token: Token | None = None,
    area: Area | None = None,
    direction: str = "from",
) -> np.ndarray:
    """The chain by layer, float32 [layer, rows, cols]: the rollout from `start_layer` up to each layer, inclusive.

    Parameters as in `rollout`. A column ("to") takes one matrix-vector product a layer, a row the whole product.
    """
    chain = _Chain(cap, head_fusion, discard_ratio, residual, start_layer)
    check_direction(direction)
    if direction == "to":
        return patch_map(torch.stack(list(chain.columns(query_row(cap, token, None, area)))), cap)
    row = query_row(cap, token, _pool_weights(cap, head_fusion), area)
    flow, steps = None, []
    for layer in chain.layers:
        matrix = chain.matrix(layer)
        flow = matrix if flow is None else matrix @ flow
        steps.append(row @ flow)
    return patch_map(torch.stack(steps), cap)


def gradient_rollout(
    cap: Capture,
    *,
    discard_ratio: float = 0.0,
    residual: float = 0.5,
    start_layer: int = 0,
    token: Token | None = None,
    include_own: bool = True,
) -> np.ndarray:
    """Rollout with the heads fused by mean_h (A ⊙ ∂y_c/∂A)⁺ for the capture's target class c, float32 [rows, cols].

    Needs capture(..., target=). Parameters as in `rollout`.
    include_own: False leaves out what each token has of itself over the skip connections alone. Gradients are small
        beside that; read at a class token it lies outside the map, but read at all patches it would hide the rest.
    """
    layers = _checked_layers(cap, discard_ratio, residual, start_layer)
    flow = _gradient_flow(cap, token, layers, residual, discard_ratio)
    return patch_map(flow.row if include_own else flow.gained, cap)


def relevance(cap: Capture, *, token: Token | None = None, include_own: bool = True) -> np.ndarray:
    """Relevance by the self-attention rule of Chefer, Gur & Wolf (ICCV 2021, eq. 5-6), float32 [rows, cols].

    R = I; R ← R + mean_h((A ⊙ ∂y_c/∂A)⁺) R from the first block to the last; the query token's row, prefix tokens left
    out. Needs capture(..., target=). token as in `rollout`; include_own=False reads the row of R - I, as in
    `gradient_rollout`.
    """
    flow = _gradient_flow(cap, token, range(cap.num_layers))
    return patch_map(flow.row if include_own else flow.gained, cap)


def _gradient_flow(
    cap: Capture, token: Token | None, layers: range, residual: float | None = None, discard_ratio: float = 0.0
) -> Flow:
    """The row read at a token, taken through the layers from the last down; see `Flow`."""
    row = query_row(cap, token, _pool_weights(cap, "gradient"))
    known = cap.flow(row, residual) if len(layers) == cap.num_layers and not discard_ratio else None
    if known is not None:
        return known
    flow = Flow(row, residual)
    for layer in reversed(layers):
        pieces = cap.gradient_rows(layer, span=None if discard_ratio else flow.span)
        through_layer([flow], _discarding(cap, pieces, discard_ratio))
    return flow


def _checked_layers(cap: Capture, discard_ratio: float, residual: float, start_layer: int) -> range:
    """The layers of a chain; CaptureError for settings that there are not."""
    if not 0 <= discard_ratio < 1:
        raise CaptureError(f"The discard ratio is a share from 0 to below 1; received {discard_ratio}.")
    if not 0 <= residual <= 1:
        raise CaptureError(f"The residual weight is from 0 to 1; received {residual}.")
    if not -cap.num_layers <= start_layer < cap.num_layers:
        raise CaptureError(f"The start layer is one of 0 to {cap.num_layers - 1}; received {start_layer}.")
    return range(start_layer % cap.num_layers, cap.num_layers)


class _Chain:
    """The matrices Ã of a rollout, made one at a time."""

    def __init__(self, cap: Capture, fusion: str, discard_ratio: float, residual: float, start_layer: int):
        self.layers = _checked_layers(cap, discard_ratio, residual, start_layer)
        if fusion not in HEAD_FUSIONS:
            fuse_heads(torch.zeros(1), fusion)  # says which there are
        self._cap, self._fusion, self._discard_ratio, self._residual = cap, fusion, discard_ratio, residual

    def matrix(self, layer: int) -> torch.Tensor:
        """Ã of one layer, [query, key]."""
        matrix = torch.empty(self._cap.num_tokens, self._cap.num_tokens, device=self._cap.device)
        for queries, fused, kept, share in self._fused(layer):
            torch.mul(fused, share[:, None], out=matrix[queries])
            matrix.diagonal()[queries].add_(kept)
        return matrix

    def columns(self, column: torch.Tensor) -> Iterator[torch.Tensor]:
        """Ã_l … Ã_first · column for each layer l, as matrix-vector products from the first layer up."""
        for layer in self.layers:
            reached = torch.empty_like(column)
            for queries, fused, kept, share in self._fused(layer):
                reached[queries] = kept * column[queries] + share * (fused @ column)
            column = reached
            yield column

    def read(self, token: Token | None, area: Area | None = None) -> np.ndarray:
        """The row of the product Ã_L … Ã_first, as vector-matrix products from the last layer down."""
        row = query_row(self._cap, token, _pool_weights(self._cap, self._fusion), area)
        for layer in reversed(self.layers):
            row = self._before(row, layer)
        return patch_map(row, self._cap)

    def _before(self, row: torch.Tensor, layer: int) -> torch.Tensor:
        """row · Ã of one layer."""
        cap, span = self._cap, span_of(row)
        if self._fusion != "mean" or self._discard_ratio:
            flow = Flow(row, self._residual)
            through_layer([flow], self._pieces(layer, span))
            return flow.row
        # The row is divided by the sums instead of all of them.
        share = (1 - self._residual) / cap.num_heads
        heads = cap.num_heads - len(cap.silenced[layer])  # the others' rows sum to 0
        total = at_least(row.new_tensor(share * heads + self._residual))
        return row * (self._residual / total) + _through(row, cap.blocks(layer, span=span)) * (share / total)

    def _fused(self, layer: int) -> Iterator[tuple[slice, torch.Tensor, torch.Tensor, torch.Tensor]]:
        """`_pieces`, and what their rows of Ã have of their own token and of each unit of attention, both [query]."""
        for queries, fused in self._pieces(layer):
            yield queries, fused, *shares(fused, self._residual)

    def _pieces(self, layer: int, span: slice | None = None) -> Pieces:
        """What attention gives in one layer, heads fused."""
        found = self._cap.blocks(layer, span=None if self._discard_ratio else span, all_heads=True)
        fused = ((block.queries, fuse_heads(block.weights(), self._fusion)) for block in found)
        return _discarding(self._cap, fused, self._discard_ratio)


def _discarding(cap: Capture, pieces: Pieces, ratio: float) -> Pieces:
    """Of pieces of all queries of a layer, where there is something to discard."""
    if not ratio:
        yield from pieces
        return
    whole = torch.empty(cap.num_tokens, cap.num_tokens, device=cap.device)
    for queries, fused in pieces:
        whole[queries] = fused
    _discard_lowest(whole, ratio, cap.grid.prefix_names)
    yield slice(0, len(whole)), whole


def _through(row: torch.Tensor, blocks: Iterator[Block]) -> torch.Tensor:
    """row · (the sum of a layer's heads), [key]."""
    through = torch.zeros_like(row)
    for block in blocks:
        for weights, exponentials in zip(row[block.queries] / block.sums, block.exponentials, strict=True):
            through += weights @ exponentials
    return through


def _discard_lowest(fused: torch.Tensor, ratio: float, prefix_names: tuple[str, ...]) -> None:
    """Zero the lowest share of all entries in place (as vit-explain does), sparing the class token's row and column."""
    spared = [prefix_names.index("class")] if "class" in prefix_names else []
    rows, columns = fused[spared].clone(), fused[:, spared].clone()
    fused.view(-1).masked_fill_(_lowest(fused.view(-1), int(fused.numel() * ratio)), 0)
    fused[spared], fused[:, spared] = rows, columns


def _lowest(values: torch.Tensor, count: int) -> torch.Tensor:
    """Which are the lowest, bool [number], as by topk; of equal ones the first."""
    if not count:
        return torch.zeros_like(values, dtype=torch.bool)
    if values.device.type == "cpu":  # NumPy's selection is vectorised: topk takes eight times as long
        last = float(np.partition(values.numpy(), count - 1)[count - 1])
    else:
        last = float(values.kthvalue(count).values)
    lowest = values <= last
    too_many = int(lowest.sum()) - count
    if too_many:
        equal = (values == last).nonzero()[:, 0]
        lowest[equal[len(equal) - too_many :]] = False
    return lowest


def _pool_weights(cap: Capture, head_fusion: str) -> torch.Tensor | None:
    """The pooling head's own row over the tokens, fused like the layers' heads; None for a model without one."""
    weights = cap.pool_attention_tensor()
    if weights is None:
        return None
    if head_fusion == "gradient":
        cap.attention_gradients(0)  # says what to do where there are none
        return (weights * cap.pool_gradient()).clamp(min=0).mean(0)
    row = fuse_heads(weights[:, None], head_fusion)[0]
    return row / row.sum()
