"""From a residual stream to logits, as the model reads them off its last one: norm, pooling, classifier."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..forward.anatomy import Anatomy
from ..model.parts import Pool
from .formulas import Absent, linear, mlp, norm, softmax


@dataclass(frozen=True, eq=False)
class Reading:
    """pooled, features [..., D]: what the pooling gives and what the classifier reads; distilled [..., D] or None: the
    same for the distillation token; logits [..., classes], or None without a classifier."""

    pooled: torch.Tensor
    features: torch.Tensor
    distilled: torch.Tensor | None
    logits: torch.Tensor | None


def read(a: Anatomy, streams: torch.Tensor) -> Reading:
    """The model's own read-out of any streams [..., T, D]. Raises Absent for a pooling that is not known."""
    head, prefix = a.head, 0 if a.head.with_prefix else a.grid.num_prefix_tokens
    if head.pooling in ("class token", "class and distillation tokens"):
        second = None if head.distilled is None else norm(streams[..., 1, :], head.norm)
        return _classified(a, norm(streams[..., 0, :], head.norm), second)
    return _classified(a, _pooled(a, norm(streams[..., prefix:, :], head.norm)))


def read_alone(a: Anatomy, tokens: torch.Tensor) -> Reading:
    """The same for single tokens [..., D], each as if it were all that the read-out reads.

    A class token's place is taken by the token; a mean, or a pooling head, is over this one token.
    """
    normed = norm(tokens, a.head.norm)
    if a.head.pooling in ("class token", "class and distillation tokens"):
        return _classified(a, normed, normed if a.head.distilled is not None else None)
    return _classified(a, _pooled(a, normed[..., None, :]))


def has_classifier(a: Anatomy) -> bool:
    return a.head.linear is not None and len(a.vit.labels) == len(a.head.linear.weight)


def _classified(a: Anatomy, pooled: torch.Tensor, second: torch.Tensor | None = None) -> Reading:
    if second is not None:  # each token has a classifier of its own, and the answer is the mean
        first = linear(pooled, a.head.linear) if has_classifier(a) else None
        logits = None if first is None else (first + linear(second, a.head.distilled)) / 2
        return Reading(pooled, pooled, second, logits)
    features = norm(pooled, a.head.fc_norm)
    return Reading(pooled, features, None, linear(features, a.head.linear) if has_classifier(a) else None)


def _pooled(a: Anatomy, tokens: torch.Tensor) -> torch.Tensor:
    """[..., token, D] -> [..., D]."""
    kind = a.head.pooling
    if kind == "pooling head" and a.head.pool is not None:
        return attention_pool(tokens, a.head.pool)
    if kind == "mean of patches":
        return tokens.mean(-2)
    if kind == "max":
        return tokens.amax(-2)
    if kind == "avgmax":
        return (tokens.amax(-2) + tokens.mean(-2)) / 2
    raise Absent("absent_read_out", model=a.vit.name, read_out=kind)


def attention_pool(tokens: torch.Tensor, pool: Pool) -> torch.Tensor:
    """One learned query attends to all tokens; then W^O, and an MLP with a residual connection (Zhai et al. 2022)."""
    latent = pool.latent.detach().to("cpu", tokens.dtype)

    def split(x: torch.Tensor) -> torch.Tensor:  # [..., token, H·d] -> [..., H, token, d]
        return x.unflatten(-1, (pool.heads, -1)).transpose(-3, -2)

    query = norm(split(latent if pool.query is None else linear(latent, pool.query)), pool.query_norm)
    key = norm(split(linear(tokens, pool.key)), pool.key_norm)
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    out = (softmax(scores) @ split(linear(tokens, pool.value))).transpose(-3, -2).flatten(-2)[..., 0, :]
    if pool.output is not None:
        out = linear(out, pool.output)
    return out if pool.mlp is None else out + mlp(norm(out, pool.norm), pool.mlp)[-1]
