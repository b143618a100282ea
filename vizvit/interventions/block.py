"""A block that runs according to a plan: its attention call is changed on its way to timm's fused kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, eq=False)
class Plan:
    """What happens to one block. All tensors are on the model's device.

    unscaled: scores are not multiplied by 1/√d. temperature: what the scores are divided by before the softmax.
    masked: pairs (query, key) of token indices, [2, n], that get -∞. skipped: the residual stream passes unchanged.
    biases: changes of a relative position bias in turn: None for zero, or an order of the whole sequence's tokens.
    keep: the tokens of the whole sequence, of which there are `full`, that stay in it. first: whether this block is the
    one that drops the others.
    """

    unscaled: bool = False
    temperature: float = 1.0
    masked: torch.Tensor | None = None
    skipped: bool = False
    biases: tuple[torch.Tensor | None, ...] = ()
    keep: torch.Tensor | None = None
    full: int = 0
    first: bool = False

    @property
    def empty(self) -> bool:
        parts = (self.unscaled, self.skipped, self.biases, self.masked is not None, self.keep is not None)
        return self.temperature == 1 and not any(parts)

    def attend(
        self,
        attention: Callable,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        **other: object,
    ) -> torch.Tensor:
        """`attention` (F.scaled_dot_product_attention) with the plan's scale and bias."""
        scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
        scale = (1.0 if self.unscaled else scale) / self.temperature
        bias = self._bias(attn_mask, query)
        return attention(query, key, value, bias, dropout_p, is_causal, scale=scale, **other)

    def _bias(self, bias: torch.Tensor | None, query: torch.Tensor) -> torch.Tensor | None:
        if bias is not None:
            for order in self.biases:
                bias = torch.zeros_like(bias) if order is None else bias[..., order, :][..., order]
            if self.keep is not None and bias.shape[-1] == self.full:
                bias = bias[..., self.keep]
                bias = bias[..., self.keep, :] if bias.shape[-2] == self.full else bias
            if self.temperature != 1 and bias.dtype != torch.bool:
                bias = bias / self.temperature
        if self.masked is None:
            return bias
        tokens = query.shape[-2]
        mask = query.new_zeros(1, 1, tokens, tokens)
        mask[..., self.masked[0], self.masked[1]] = -math.inf
        if bias is not None and bias.dtype == torch.bool:
            return mask.masked_fill(~bias, -math.inf)
        return mask if bias is None else mask + bias


class ChangedBlock(nn.Module):
    """To be put before a block's class."""

    plan: Plan

    def forward(self, x: torch.Tensor, *args, **kwargs) -> torch.Tensor:
        plan = self.plan
        if plan.first and plan.keep is not None and x.shape[1] == plan.full:
            x = x[:, plan.keep]
        if plan.keep is not None and kwargs.get("rope") is not None:
            kwargs["rope"] = _kept_rotations(kwargs["rope"], plan)
        with _Attention(plan):
            out = super().forward(x, *args, **kwargs)
        return x if plan.skipped else out


class _Attention(TorchFunctionMode):
    """Thread-local, and inside the recorder's own mode, which thereby sees the changed call."""

    def __init__(self, plan: Plan):
        super().__init__()
        self._plan = plan

    def __torch_function__(self, func: Callable, types: Collection[type], args: tuple = (), kwargs: dict | None = None):
        if func is F.scaled_dot_product_attention:
            return self._plan.attend(func, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _kept_rotations(table: torch.Tensor, plan: Plan) -> torch.Tensor:
    """[..., patch, angle] of the patches that stay; prefix tokens, which come first, are not rotated."""
    prefix = plan.full - table.shape[-2]
    return table[..., plan.keep[plan.keep >= prefix] - prefix, :]
