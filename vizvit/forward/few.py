"""A backward pass of no more than a gradient reaches: in a last block the class token's row alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class FewQueries(torch.autograd.Function):
    """attend(q, k, v), of tensors [..., token, dim], with the gradients it has; other queries' are 0 by themselves.

    The backward pass computes the outputs of those queries anew. It can be differentiated once.
    """

    @staticmethod
    def forward(
        ctx: Any, attend: Callable[..., torch.Tensor], q: torch.Tensor, k: torch.Tensor, v: torch.Tensor
    ) -> torch.Tensor:
        ctx.attend = attend
        ctx.save_for_backward(q, k, v)
        return attend(q, k, v)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        reached = gradient.abs().amax(-1).flatten(0, -2).amax(0).nonzero()[:, 0]
        if not len(reached):
            return None, *map(torch.zeros_like, ctx.saved_tensors)
        q, k, v = (tensor.detach().requires_grad_() for tensor in ctx.saved_tensors)
        with torch.enable_grad():
            output = ctx.attend(q[..., reached, :], k, v)
        return None, *torch.autograd.grad(output, (q, k, v), gradient[..., reached, :])


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """torch.nn.functional.linear; where a gradient goes on through x alone, of the rows that it reaches."""
    if all(one is None or one.is_leaf for one in (weight, bias)):
        return _FewRows.apply(x, weight, bias)
    return torch.nn.functional.linear(x, weight, bias)


class _FewRows(torch.autograd.Function):
    """With the gradient by x, not by the parameters. It can be differentiated once."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        ctx.save_for_backward(weight)
        return torch.nn.functional.linear(x, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        rows = gradient.flatten(0, -2)
        reached = rows.count_nonzero(-1).nonzero()[:, 0]
        if 2 * len(reached) > len(rows):
            return gradient @ weight, None, None
        found = rows.new_zeros(len(rows), weight.shape[1])
        found[reached] = rows[reached] @ weight
        return found.view(*gradient.shape[:-1], -1), None, None
