"""A layer's attention weighted by its gradient, mean_h (A ⊙ ∂y/∂A)⁺, in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from .blocks import Block, blocks, multiply, numbers
from .recorder import Call


def gradient_blocks(
    call: Call, of_output: torch.Tensor, bias: torch.Tensor | None, span: slice
) -> Iterator[tuple[Block, torch.Tensor]]:
    """The blocks of the queries in `span`, with what their exponentials are multiplied by, [head, query, key]: ∂y/∂A
    where it is positive, by their sums and the number of heads. So the sum over the heads is the mean.

    of_output: ∂y/∂O, [head, token, head_dim], so that ∂y/∂A = (∂y/∂O) Vᵀ. bias: as of `derived.bias_of`.
    """
    values = call.v.float().mT
    memory = values.new_empty(0)
    for block in blocks(call.q, call.k, call.scale, bias, call.silenced, span=span):
        if memory.shape != block.exponentials.shape:
            memory = torch.empty_like(block.exponentials)
        gradient = of_output[block.heads, block.queries].float() / (len(values) * block.sums[..., None])
        yield block, multiply(gradient, values[block.heads], memory).clamp_(min=0)


def gradient_rows(
    call: Call, of_output: torch.Tensor, bias: torch.Tensor | None, span: slice
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Of some queries at a time: which, and the mean over the heads, [query, key], good until the next is asked for."""
    tokens = call.k.shape[1]
    step = max(1, numbers(call.k.device) // tokens)
    whole = call.k.new_empty(min(step, span.stop - span.start), tokens, dtype=torch.float32)
    for start in range(span.start, span.stop, step):
        queries = slice(start, min(start + step, span.stop))
        fused = whole[: queries.stop - start].zero_()
        for block, positive in gradient_blocks(call, of_output, bias, queries):
            some = fused[block.queries.start - start : block.queries.stop - start]
            for exponentials, gradient in zip(block.exponentials, positive, strict=True):
                some.addcmul_(exponentials, gradient)
        yield queries, fused
