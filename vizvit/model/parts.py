"""A Vision Transformer's weights by their part in the paper, whatever a model's code calls them.

Nothing is copied: the tensors are the model's own parameters, or views of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, eq=False)
class Linear:
    """y = x Wᵀ + b: weight [out, in], bias [out] or None."""

    weight: torch.Tensor
    bias: torch.Tensor | None


@dataclass(frozen=True, eq=False)
class Norm:
    """kind: "LayerNorm", "RMSNorm", or the class's name where it is another; weight, bias [D] or None; eps."""

    kind: str
    weight: torch.Tensor | None
    bias: torch.Tensor | None
    eps: float


@dataclass(frozen=True, eq=False)
class Attention:
    """Multi-head self-attention. query, key, value: Linear to [heads x d] (keys and values may have fewer heads).

    query_norm, key_norm: over d, or None; inner_norm: of the concatenated heads before W^O, or None; gate: a Linear
    whose sigmoid multiplies them, or None; output: W^O; rotate_half: how rotary angles pair the dimensions.
    """

    heads: int
    query: Linear
    key: Linear
    value: Linear
    query_norm: Norm | None
    key_norm: Norm | None
    inner_norm: Norm | None
    gate: Linear | None
    output: Linear
    rotate_half: bool


@dataclass(frozen=True, eq=False)
class Mlp:
    """act(x W1ᵀ + b1) W2ᵀ + b2; with `gate`, act(first(x)) · gate(x) takes the activation's place.

    activation: "gelu", "gelu_tanh", "quick_gelu", "silu", "relu", or None for one that is unknown; name: for people.
    """

    first: Linear
    gate: Linear | None
    activation: str | None
    name: str
    inner_norm: Norm | None
    second: Linear


@dataclass(frozen=True, eq=False)
class Block:
    """norm1, attention, scale1 [D] (layer scale, or None), norm2, mlp, scale2 [D] or None."""

    norm1: Norm | None
    attention: Attention
    scale1: torch.Tensor | None
    norm2: Norm | None
    mlp: Mlp
    scale2: torch.Tensor | None


@dataclass(frozen=True, eq=False)
class Kernel:
    """The patch embedding: weight [D, P²·C] by reference, bias [D] or None, norm after it or None.

    channels_last: whether a patch is read pixel by pixel (y, x, channel) instead of channel by channel (channel, y, x).
    """

    weight: torch.Tensor
    bias: torch.Tensor | None
    norm: Norm | None
    channels_last: bool


@dataclass(frozen=True, eq=False)
class Pool:
    """An attention pooling head with one learned query: latent [1, D], query (or None), key, value, output, norm, mlp.

    with_prefix: whether it reads the prefix tokens, too.
    """

    heads: int
    latent: torch.Tensor
    query: Linear | None
    key: Linear
    value: Linear
    query_norm: Norm | None
    key_norm: Norm | None
    output: Linear | None
    norm: Norm | None
    mlp: Mlp | None


@dataclass(frozen=True, eq=False)
class Head:
    """From the last stream to the logits: norm over tokens, pooling, fc_norm of what was pooled, linear.

    pooling: "class token", "class and distillation tokens", "mean of patches", "pooling head" or the pooling's own
    name; with_prefix: whether pooling reads prefix tokens, too; linear: None without a classifier; distilled: the
    second classifier of a distilled model, which reads the distillation token; the logits are the mean of both.
    """

    norm: Norm | None
    pooling: str
    with_prefix: bool
    pool: Pool | None
    fc_norm: Norm | None
    linear: Linear | None
    distilled: Linear | None
