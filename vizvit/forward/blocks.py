"""A layer's attention a block of queries at a time, never normalised: for what needs sums of it, not the matrix."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

# Numbers at a time. On a CPU they stay in its cache, where going over them again costs little.
NUMBERS = {"cpu": 2**21, "otherwise": 2**27}
LEAST = -1e4  # a masked key's score below its row's greatest: its exponential is 0, and 0 · score is no NaN
BOUND = 40.0  # of scores whose exponentials, their sums, and small numbers by those, are well within float32
NEAR = 20.0  # of scores that can be subtracted from a logarithm of such sums without losing digits that matter


@dataclass(frozen=True)
class Block:
    """Some queries of some heads of one layer; the arrays are good until the next block is asked for.

    heads, queries: which. exponentials [head, query, key]: of the scores, each row less a number of its own; 0 in a
    head that is knocked out. sums [head, query]: of the exponentials; 1 there. scores [head, query, key]: where they
    were asked for, each row less the same number.
    """

    heads: slice
    queries: slice
    exponentials: torch.Tensor
    sums: torch.Tensor
    scores: torch.Tensor | None = None

    def weights(self) -> torch.Tensor:
        """The attention, [head, query, key], in the exponentials' place."""
        return self.exponentials.div_(self.sums[..., None])


def blocks(
    q: torch.Tensor,
    k: torch.Tensor,
    scale: float,
    bias: torch.Tensor | None,
    silenced: tuple[int, ...],
    *,
    span: slice | None = None,
    all_heads: bool = False,
    with_scores: bool = False,
) -> Iterator[Block]:
    """The blocks of one layer. q, k [head, token, dim]; bias [head or 1, query, key].

    span: of these queries alone, and of all keys.
    all_heads: each block is of all of them, and of few queries; else as many whole heads as there is room for, or a
    part of one, which is quicker.
    """
    q, keys = q.float() * scale, k.float().transpose(-2, -1)
    room = numbers(q.device) // (1 + with_scores)  # a second array of a block's shape
    most = NEAR if with_scores else BOUND
    shifted = [True] * len(q) if bias is not None else [one > most for one in _greatest(q, keys)]  # of each head
    places = list(_places(len(q), q.shape[1], span or slice(0, q.shape[1]), room, all_heads))
    largest = max((math.prod(_shape(*place, q.shape[1])) for place in places), default=0)
    memory = q.new_empty((1 + with_scores) * largest)
    for heads, queries in places:
        shape = _shape(heads, queries, q.shape[1])
        scores, exponentials = (memory[start:][: math.prod(shape)].view(shape) for start in (0, with_scores * largest))
        multiply(q[heads, queries], keys[heads], scores)
        if bias is not None:
            own = bias[heads] if len(bias) > 1 else bias
            scores += own[:, queries] if own.shape[1] > 1 else own
        if any(shifted[heads]):
            scores -= scores.amax(-1, keepdim=True)
        if bias is not None:
            scores.clamp_(min=LEAST)
        torch.exp(scores, out=exponentials)
        sums = exponentials.sum(-1)
        for head in silenced:
            if heads.start <= head < heads.stop:
                exponentials[head - heads.start], sums[head - heads.start] = 0, 1
        yield Block(heads, queries, exponentials, sums, scores if with_scores else None)


def _shape(heads: slice, queries: slice, tokens: int) -> tuple[int, int, int]:
    return heads.stop - heads.start, queries.stop - queries.start, tokens


def _places(heads: int, tokens: int, span: slice, room: int, all_heads: bool) -> Iterator[tuple[slice, slice]]:
    """(heads, queries) of each block, of `room` numbers at most, though one query has its place always."""
    count = max(1, span.stop - span.start)
    together = heads if all_heads else min(heads, max(1, room // (count * tokens)))
    step = min(count, max(1, room // (together * tokens)))
    for head in range(0, heads, together):
        for start in range(span.start, span.stop, step):
            yield slice(head, min(head + together, heads)), slice(start, min(start + step, span.stop))


def multiply(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """[head, row, dim] · [head, dim, column] -> out. As a batch of one it takes more than twice as long."""
    if len(a) == 1:
        torch.mm(a[0], b[0], out=out[0])
    else:
        torch.bmm(a, b, out=out)
    return out


def numbers(device: torch.device) -> int:
    """How many are worked on at a time."""
    return NUMBERS.get(device.type, NUMBERS["otherwise"])


def _greatest(q: torch.Tensor, keys: torch.Tensor) -> list[float]:
    """Of each head what no product of a query and a key is beyond (Cauchy and Schwarz)."""
    longest = torch.linalg.vector_norm(q, dim=-1).amax(-1) * torch.linalg.vector_norm(keys, dim=-2).amax(-1)
    return longest.tolist()
