"""A layer's attention weighted by its gradient, mean_h (A ⊙ ∂y/∂A)⁺, in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from .blocks import blocks, multiply
from .call import Call


def gradient_rows(
    call: Call, of_output: torch.Tensor, bias: torch.Tensor | None, span: slice
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Of some queries at a time: which, and the mean over the heads, [query, key], good until the next is asked for.

    of_output: ∂y/∂O, [head, token, head_dim], so that ∂y/∂A = (∂y/∂O) Vᵀ. bias: as of `derived.bias_of`.
    """
    values = call.v.float().mT
    for block in blocks(call.q, call.k, call.scale, bias, call.silenced, span=span, to_work_in=True):
        # By their sums and the number of heads, so that the sum over the heads is the mean.
        gradient = of_output[block.heads, block.queries].float() / (len(values) * block.sums[..., None])
        positive = multiply(gradient, values[block.heads], block.beside).clamp_(min=0)
        for head, (exponentials, one) in enumerate(zip(block.exponentials, positive, strict=True), block.heads.start):
            if head:
                block.total.addcmul_(exponentials, one)
            else:
                torch.mul(exponentials, one, out=block.total)
        if block.heads.stop == len(values):
            yield block.queries, block.total
