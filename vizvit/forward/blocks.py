"""A layer's attention a block of queries at a time, never normalised: for what needs sums of it, not the matrix."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

import torch

from .call import longest

# Numbers at a time. On a CPU they stay in its cache, where going over them again costs little.
NUMBERS = {"cpu": 2**21, "otherwise": 2**27}
SHORT = 512  # keys of a row, below which the number of steps counts for more than the cache: twice as many at a time
LEAST = -1e4  # a masked key's score below its row's greatest: its exponential is 0, and 0 · score is no NaN
BOUND = 40.0  # of scores whose exponentials, their sums, and small numbers by those, are well within float32
NEAR = 20.0  # of scores that can be subtracted from a logarithm of such sums without losing digits that matter

_idle = threading.local()


@dataclass(frozen=True)
class Block:
    """Some queries of some heads of one layer; the arrays are good until the next block is asked for.

    heads, queries: which. exponentials [head, query, key]: of the scores, each row less a number of its own; 0 in a
    head that is knocked out. sums [head, query]: of the exponentials; 1 there.
    Where they were asked for: scores [head, query, key], each row less the same number; to work in, beside
    [head, query, key], and total [query, key], both uninitialised; the latter is left as it is for all heads of some
    queries.
    """

    heads: slice
    queries: slice
    exponentials: torch.Tensor
    sums: torch.Tensor
    scores: torch.Tensor | None = None
    beside: torch.Tensor | None = None
    total: torch.Tensor | None = None

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
    lengths: Sequence[Sequence[float]] | None = None,
    logs: torch.Tensor | None = None,
    span: slice | None = None,
    all_heads: bool = False,
    with_scores: bool = False,
    to_work_in: bool = False,
) -> Iterator[Block]:
    """The blocks of one layer: some queries after others, and of each some heads after others.

    q, k [head, token, dim]; bias [head or 1, query, key].
    lengths: of each head's longest query and longest key, [q | k, head]; measured where they are not given.
    logs: of each row's sum of the exponentials of its scores, [head, query], where they are known.
    span: of these queries alone, and of all keys.
    all_heads: each block is of all of them, and of few queries; else of as many queries as there is room for, which is
    quicker. with_scores, to_work_in: what blocks have besides.
    """
    tokens = k.shape[1]
    span = slice(0, tokens) if span is None else span
    most = NEAR if with_scores else BOUND
    shifted = [bias is not None or not one <= most for one in _greatest(q, k, scale, lengths, logs)]  # of each head
    q, keys = q.float() * scale, k.float().transpose(-2, -1)
    room = NUMBERS.get(q.device.type, NUMBERS["otherwise"]) * (1 + (tokens < SHORT)) // (1 + with_scores)
    together, step = _sizes(len(q), tokens, span.stop - span.start, room, all_heads)
    arrays = 1 + with_scores + to_work_in
    with _memory(q.device, (arrays * together + to_work_in) * step * tokens) as memory:
        total = memory[: to_work_in * step * tokens].view(-1, tokens)
        for start, head in product(range(span.start, span.stop, step), range(0, len(q), together)):
            heads, queries = slice(head, min(head + together, len(q))), slice(start, min(start + step, span.stop))
            shape = heads.stop - heads.start, queries.stop - queries.start, tokens
            exponentials, *others = memory[len(total) * tokens :][: arrays * math.prod(shape)].view(arrays, *shape)
            scores = others.pop() if with_scores else exponentials
            multiply(q[heads, queries], keys[heads], scores)
            if bias is not None:
                own = bias[heads] if len(bias) > 1 else bias
                scores += own[:, queries] if own.shape[1] > 1 else own
            if any(shifted[heads]):
                scores -= scores.amax(-1, keepdim=True)
            if bias is not None:
                scores.clamp_(min=LEAST)
            torch.exp(scores, out=exponentials)
            known = logs is not None and not any(shifted[heads])
            sums = logs[heads, queries].exp() if known else exponentials.sum(-1)
            for silent in silenced:
                if heads.start <= silent < heads.stop:
                    exponentials[silent - heads.start], sums[silent - heads.start] = 0, 1
            yield Block(
                heads,
                queries,
                exponentials,
                sums,
                scores=scores if with_scores else None,
                beside=others[0] if to_work_in else None,
                total=total[: shape[1]] if to_work_in else None,
            )


@contextmanager
def _memory(device: torch.device, count: int) -> Iterator[torch.Tensor]:
    """Uninitialised float32 [at least count]. On a CPU a thread keeps it for the next layer: what goes back to the
    system has to be faulted in anew, page by page, which takes as long as a tenth of what is computed in it."""
    found, _idle.memory = getattr(_idle, "memory", None), None
    if found is None or len(found) < count or found.device != device:
        found = torch.empty(count, dtype=torch.float32, device=device)
    yield found
    if device.type == "cpu" and not found.is_inference():  # which outside inference mode could not be written to
        _idle.memory = found


def _sizes(heads: int, tokens: int, queries: int, room: int, all_heads: bool) -> tuple[int, int]:
    """(heads, queries) of a block, of `room` numbers at most, though one query has its place always."""
    step = min(max(1, queries), max(1, room // (tokens * (heads if all_heads else 1))))
    return heads if all_heads else min(heads, max(1, room // (step * tokens))), step


def multiply(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """[head, row, dim] · [head, dim, column] -> out. As a batch of one it takes more than twice as long."""
    if len(a) == 1:
        torch.mm(a[0], b[0], out=out[0])
    else:
        torch.bmm(a, b, out=out)
    return out


def _greatest(
    q: torch.Tensor,
    k: torch.Tensor,
    scale: float,
    lengths: Sequence[Sequence[float]] | None,
    logs: torch.Tensor | None,
) -> list[float]:
    """Of each head what no score is beyond, by the lengths of its vectors (Cauchy and Schwarz).

    Where the logarithms are known, what none of these is: no score is above its row's, and the greatest of a row is
    below it by no more than the logarithm of their number.
    """
    if logs is not None:
        return logs.abs().amax(-1).tolist()
    lengths = [longest(q).tolist(), longest(k).tolist()] if lengths is None else lengths
    return [of_query * of_key * scale for of_query, of_key in zip(*lengths, strict=True)]
