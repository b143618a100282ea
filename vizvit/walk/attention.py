"""Self-attention from one token: its query, key and value, its scores, the weighted sum, the heads together.

Vaswani et al. 2017, eq. 1; ViT paper, appendix A, eq. 5-8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..forward.anatomy import Anatomy, BlockTrace
from ..model.parts import Block, Linear
from .formulas import Absent, apart, array, entropy, linear, norm, rotate, softmax, weight


@dataclass(frozen=True, eq=False)
class Qkv:
    """query, key, value [d] of one token in one head, as they enter the dot product; rotated: by its place."""

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    rotated: bool
    difference: float


@dataclass(frozen=True, eq=False)
class Scores:
    """One query's scores over all tokens, [T] each.

    products: q·k; scaled: times `scale`; bias: what is added to them, or None; attention: softmax of scaled + bias;
    attention_unscaled: softmax of products + bias. entropy in nats and the largest weight, of both.
    difference: of attention times the values from the head's output.
    """

    products: np.ndarray
    scale: float
    scaled: np.ndarray
    bias: np.ndarray | None
    attention: np.ndarray
    attention_unscaled: np.ndarray
    entropy: float
    entropy_unscaled: float
    largest: float
    largest_unscaled: float
    difference: float


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """weights [T]: attention; value_norms [T]: ‖v‖; contributions [T]: weight · ‖v‖ (Kobayashi et al., EMNLP 2020);
    output [d] = Σ weight · v."""

    weights: np.ndarray
    value_norms: np.ndarray
    contributions: np.ndarray
    output: np.ndarray
    difference: float


@dataclass(frozen=True, eq=False)
class Heads:
    """outputs [H, d] of all heads for one token; concatenated [H·d]; entering [H·d]: what W^O reads, after the norm or
    the gate that a few models have between (inner: whether this one has); projected [D]: times W^O, plus its bias;
    writes [H]: the norm of what each head adds to the residual stream through its slice of W^O, layer scale included;
    written: the norm of what they add together, W^O's bias included.
    """

    outputs: np.ndarray
    concatenated: np.ndarray
    entering: np.ndarray
    inner: bool
    projected: np.ndarray
    writes: np.ndarray
    written: float
    difference: float


def qkv(a: Anatomy, token: int, head: int) -> Qkv:
    """From the token's normalised vector. Raises Absent for a block of another kind; so do the other stages here."""
    block, parts = _block(a)
    part, x = parts.attention, block.norm1[token].double()
    place = token - a.grid.num_prefix_tokens
    query = norm(_of_head(x, part.query, head, block), part.query_norm)
    key = norm(_of_head(x, part.key, head, block), part.key_norm)
    value = _of_head(x, part.value, head, block)
    rotated = block.rope is not None and place >= 0
    if rotated:
        angles = _angles(block, head, place)
        query, key = (rotate(vector, angles, part.rotate_half) for vector in (query, key))
    model = (block.q[head, token], block.k[head, token], block.v[head, token])
    difference = apart(*zip((query, key, value), model, strict=True))
    return Qkv(array(query), array(key), array(value), rotated, difference)


def scores(a: Anatomy, token: int, head: int) -> Scores:
    block, _ = _block(a)
    products = block.k[head].double() @ block.q[head, token].double()
    bias = _bias(block, token, head)
    added = 0 if bias is None else bias.double()
    attention, unscaled = softmax(products * block.scale + added), softmax(products + added)
    output = attention @ block.v[head].double()
    return Scores(
        products=array(products),
        scale=block.scale,
        scaled=array(products * block.scale),
        bias=array(bias),
        attention=array(attention),
        attention_unscaled=array(unscaled),
        entropy=entropy(attention),
        entropy_unscaled=entropy(unscaled),
        largest=float(attention.max()),
        largest_unscaled=float(unscaled.max()),
        difference=apart((output, block.head_outputs[head, token])),
    )


def weighted_sum(a: Anatomy, token: int, head: int) -> WeightedSum:
    block, _ = _block(a)
    products = block.k[head].double() @ block.q[head, token].double() * block.scale
    bias = _bias(block, token, head)
    weights = softmax(products if bias is None else products + bias.double())
    values = block.v[head].double()
    lengths = values.square().sum(-1).sqrt()
    output = (weights[:, None] * values).sum(0)
    difference = apart((output, block.head_outputs[head, token]))
    return WeightedSum(array(weights), array(lengths), array(weights * lengths), array(output), difference)


def heads(a: Anatomy, token: int) -> Heads:
    block, parts = _block(a)
    part, outputs = parts.attention, block.head_outputs[:, token].double()
    concatenated = outputs.flatten()
    entering = norm(concatenated, part.inner_norm)
    if part.gate is not None:
        entering = entering / (1 + (-linear(block.norm1[token].double(), part.gate)).exp())
    projected = linear(entering, part.output)
    slices = weight(part.output.weight, entering).unflatten(1, outputs.shape)  # [D, H, d]
    alone = torch.einsum("hd,ohd->ho", entering.reshape(outputs.shape), slices)
    together = projected
    if parts.scale1 is not None:
        scale = weight(parts.scale1, alone)
        alone, together = alone * scale, together * scale
    return Heads(
        outputs=array(outputs),
        concatenated=array(concatenated),
        entering=array(entering),
        inner=part.inner_norm is not None or part.gate is not None,
        projected=array(projected),
        writes=array(alone.square().sum(-1).sqrt()),
        written=float(together.square().sum().sqrt()),
        difference=apart((entering, block.entering[token]), (projected, block.attended[token])),
    )


def _block(a: Anatomy) -> tuple[BlockTrace, Block]:
    if a.block is None or a.parts is None:
        raise Absent("absent_plain_block", model=a.vit.name, layer=a.layer)
    return a.block, a.parts


def _of_head(x: torch.Tensor, part: Linear, head: int, block: BlockTrace) -> torch.Tensor:
    """[d]: the head's rows of the projection; several heads may share a key or value."""
    total, _, dim = block.q.shape
    start = head * (len(part.weight) // dim) // total * dim
    rows = slice(start, start + dim)
    return linear(x, Linear(part.weight[rows], None if part.bias is None else part.bias[rows]))


def _angles(block: BlockTrace, head: int, place: int) -> torch.Tensor:
    table = block.rope.reshape(-1, *block.rope.shape[-2:])  # [1 or H, N, 2d]
    return table[head if len(table) > 1 else 0, place]


def _bias(block: BlockTrace, token: int, head: int) -> torch.Tensor | None:
    if block.bias is None:
        return None
    of_head = block.bias[head if len(block.bias) > 1 else 0]
    return of_head[token if len(of_head) > 1 else 0]
