"""The formulas of a Vision Transformer, written out; in the precision of what is put in.

`Absent` is what a stage raises where an architecture has no such step.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ..model.parts import Linear, Mlp, Norm


class Absent(ValueError):
    """A stage that a model does not have.

    key: the name of a text with one sentence why; numbers: what its placeholders stand for.
    """

    def __init__(self, key: str, **numbers: int | str):
        super().__init__(key)
        self.key = key
        self.numbers = numbers


def weight(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", like.dtype)


def linear(x: torch.Tensor, part: Linear) -> torch.Tensor:
    """y = x Wᵀ + b."""
    y = x @ weight(part.weight, x).T
    return y if part.bias is None else y + weight(part.bias, x)


def moments(x: torch.Tensor, part: Norm) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and (biased) variance over the last axis; a root-mean-square norm takes 0 for the mean.

    Layer normalisation: Ba, Kiros & Hinton 2016, eq. 3; RMS norm: Zhang & Sennrich, NeurIPS 2019, eq. 4.
    """
    if part.kind not in ("LayerNorm", "RMSNorm"):
        raise Absent("absent_norm_kind", kind=part.kind)
    mean = x.mean(-1, keepdim=True) if part.kind == "LayerNorm" else torch.zeros_like(x[..., :1])
    return mean, (x - mean).square().mean(-1, keepdim=True)


def affine(normalised: torch.Tensor, part: Norm) -> torch.Tensor:
    """The learned scale γ and shift β."""
    if part.weight is not None:
        normalised = normalised * weight(part.weight, normalised)
    return normalised if part.bias is None else normalised + weight(part.bias, normalised)


def norm(x: torch.Tensor, part: Norm | None) -> torch.Tensor:
    """γ (x - μ) / √(σ² + ε) + β; x itself where there is no norm."""
    if part is None:
        return x
    mean, variance = moments(x, part)
    return affine((x - mean) / (variance + part.eps).sqrt(), part)


def softmax(scores: torch.Tensor) -> torch.Tensor:
    """e^s / Σ e^s over the last axis; the maximum is taken off first, which changes nothing but keeps it finite."""
    powers = (scores - scores.amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)


def predicted(kind: str, logits: torch.Tensor) -> torch.Tensor:
    """What a model makes of its last numbers: a softmax over all of them ("softmax"), 1 / (1 + e^-g) of each
    ("sigmoid"), or nothing, where they are values ("value")."""
    if kind == "value":
        return logits
    return 1 / (1 + (-logits).exp()) if kind == "sigmoid" else softmax(logits)


def entropy(weights: torch.Tensor) -> float:
    """-Σ a ln a, in nats."""
    return float(-(weights * weights.clamp_min(1e-300).log()).sum())


def rotate(x: torch.Tensor, rope: torch.Tensor, halves: bool) -> torch.Tensor:
    """Rotary embedding (Su et al., RoFormer 2021, eq. 34): each pair of dimensions turned by its place's angle.

    rope [..., 2d]: sines, then cosines; a pair is (i, i + d/2) where `halves`, else (2i, 2i + 1).
    """
    sine, cosine = rope.to(x.dtype).chunk(2, -1)
    if halves:
        first, second = x.chunk(2, -1)
        turned = torch.cat([-second, first], -1)
    else:
        turned = torch.stack([-x[..., 1::2], x[..., ::2]], -1).reshape(x.shape)
    return x * cosine + turned * sine


def activation(x: torch.Tensor, kind: str | None, name: str) -> torch.Tensor:
    """GELU is x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016), or its tanh approximation."""
    if kind == "gelu":
        return x * (1 + torch.erf(x / math.sqrt(2))) / 2
    if kind == "gelu_tanh":
        return x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    if kind == "quick_gelu":
        return x / (1 + torch.exp(-1.702 * x))
    if kind == "silu":
        return x / (1 + torch.exp(-x))
    if kind == "relu":
        return x.clamp_min(0)
    raise Absent("absent_activation", activation=name)


def mlp(x: torch.Tensor, part: Mlp) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor, torch.Tensor]:
    """(what enters the activation, the gate, what the second layer reads, the output)."""
    before = linear(x, part.first)
    gate = None if part.gate is None else linear(x, part.gate)
    hidden = activation(before, part.activation, part.name)
    if gate is not None:
        hidden = hidden * gate
    hidden = norm(hidden, part.inner_norm)
    return before, gate, hidden, linear(hidden, part.second)


def array(tensor: torch.Tensor | None) -> np.ndarray | None:
    return None if tensor is None else tensor.detach().float().numpy()


def apart(*pairs: tuple[torch.Tensor | None, torch.Tensor | None]) -> float:
    """The greatest absolute difference within any of the pairs (by hand, the model's); a pair with None is left out."""
    found = [float((a.double() - b.double()).abs().max()) for a, b in pairs if a is not None and b is not None]
    return max(found)
