"""Attention whose backward pass gives away what it makes on its way: the attention weighted by its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from .blocks import blocks, multiply
from .flow import Pieces

LONG = 2**23  # numbers of the attention of a layer from which this takes less than the two things one after the other


def pays(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> bool:
    """Whether these can be given to `Attention`, and are so large that it takes less time."""
    plain = q.ndim == 4 and len(q) == 1 and q.shape == k.shape and k.shape[:3] == v.shape[:3]
    return plain and q.dtype == k.dtype == v.dtype == torch.float32 and q[..., 0].numel() * k.shape[2] >= LONG


class Attention(torch.autograd.Function):
    """attend(q, k, v), of float32 tensors [1, head, token, dim]; `take` is called with the backward pass.

    scale: what q·k is multiplied by. silenced: heads whose output goes nowhere. take: gets mean_h (A ⊙ ∂y/∂A)⁺, some
    queries at a time, each good until the next is asked for; it asks for all of them.
    A and ∂y/∂A are made for the gradients anyway, so that both together take a sixth less than one after the other.
    The backward pass can be differentiated once.
    """

    @staticmethod
    def forward(
        ctx: Any,
        attend: Callable[..., torch.Tensor],
        take: Callable[[Pieces], None],
        scale: float,
        silenced: tuple[int, ...],
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
    ) -> torch.Tensor:
        with torch.enable_grad():
            graph = attend(q.detach().requires_grad_(), k, v)
        # Fused attention has made it, and its own backward pass would read it.
        logs, output = getattr(graph.grad_fn, "_saved_logsumexp", None), graph.detach()
        ctx.take, ctx.scale, ctx.silenced = take, scale, silenced
        ctx.save_for_backward(q, k, v, output, logs)
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        q, k, v, output, logs = (None if tensor is None else tensor[0] for tensor in ctx.saved_tensors)
        found = q.new_empty(q.shape), k.new_zeros(k.shape), v.new_zeros(v.shape)
        ctx.take(_pieces(q, k, v, output, logs, gradient[0], ctx.scale, ctx.silenced, found))
        return None, None, None, None, *(one[None] for one in found)


def _pieces(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    output: torch.Tensor,
    logs: torch.Tensor | None,
    of_output: torch.Tensor,
    scale: float,
    silenced: tuple[int, ...],
    found: tuple[torch.Tensor, ...],
) -> Iterator[tuple[slice, torch.Tensor]]:
    """All tensors [head, token, dim]; logs [head, token], as of `blocks`.

    found: takes ∂y/∂q, and zeros, to which ∂y/∂k and ∂y/∂v are added.
    With scores S = scale·q kᵀ, A = softmax(S) and O = A v: ∂y/∂S = A ⊙ (∂y/∂A - the row's sum of O ⊙ ∂y/∂O).
    """
    by_q, by_k, by_v = found
    values, all_heads = v.mT, len(q)
    scaled, of_rows = q * (scale * all_heads), (of_output * output).sum(-1, keepdim=True) / all_heads
    for block in blocks(q, k, scale, None, silenced, logs=logs, to_work_in=True):
        heads, queries, exponentials = block.heads, block.queries, block.exponentials
        sums = block.sums[..., None]
        gradient = of_output[heads, queries] / sums
        _add(exponentials.mT, gradient, by_v[heads])
        # By the number of heads, so that the sum over the heads is the mean.
        weighted = multiply(gradient / all_heads, values[heads], block.beside).mul_(exponentials)
        of_scores = torch.addcmul(weighted, exponentials, of_rows[heads, queries] / sums, value=-1, out=exponentials)
        _add(of_scores.mT, scaled[heads, queries], by_k[heads])
        multiply(of_scores, k[heads], by_q[heads, queries])
        for head, one in enumerate(weighted, heads.start):
            if head:
                block.total.add_(one.clamp_(min=0))
            else:
                torch.clamp(one, min=0, out=block.total)
        if heads.stop == all_heads:
            yield queries, block.total
    by_q *= scale * all_heads


def _add(a: torch.Tensor, b: torch.Tensor, total: torch.Tensor) -> None:
    """[head, row, dim] · [head, dim, column] is added to total; see `multiply`."""
    if len(a) == 1:
        total[0].addmm_(a[0], b[0])
    else:
        total.baddbmm_(a, b)
