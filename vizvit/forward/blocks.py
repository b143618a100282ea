"""A layer's attention a block of queries at a time, never normalised: for what needs sums of it, not the matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

# Scores at a time. On a CPU two buffers of them stay in its cache, where going over them again costs little.
SCORES = {"cpu": 2**19, "otherwise": 2**26}
LEAST = -1e4  # a masked key's score below its row's greatest: its exponential is 0, and 0 · score is no NaN


@dataclass(frozen=True)
class Block:
    """Some queries of one layer; the arrays are good until the next block is asked for.

    queries: their place in the sequence. scores [head, query, key]: each row less its greatest. exponentials
    [head, query, key]: of those; 0 in a head that is knocked out. sums [head, query]: of the exponentials; 1 there.
    """

    queries: slice
    scores: torch.Tensor
    exponentials: torch.Tensor
    sums: torch.Tensor

    def weights(self) -> torch.Tensor:
        """The attention, [head, query, key], in the exponentials' place."""
        return self.exponentials.div_(self.sums[..., None])


def blocks(
    q: torch.Tensor, k: torch.Tensor, scale: float, bias: torch.Tensor | None, silenced: tuple[int, ...]
) -> Iterator[Block]:
    """The blocks of one layer in the order of its queries. q, k [head, token, dim]; bias [head or 1, query, key]."""
    q, keys = q.float() * scale, k.float().transpose(-2, -1)
    heads, tokens = q.shape[:2]
    limit = SCORES.get(q.device.type, SCORES["otherwise"])
    step = min(tokens, max(1, limit // (heads * tokens)))
    buffers = q.new_empty(2, heads * step * tokens)
    for start in range(0, tokens, step):
        queries = slice(start, min(start + step, tokens))
        shape = (heads, queries.stop - start, tokens)
        scores, exponentials = (buffer[: heads * shape[1] * tokens].view(shape) for buffer in buffers)
        torch.matmul(q[:, queries], keys, out=scores)
        if bias is not None:
            scores += bias[:, queries] if bias.shape[1] > 1 else bias
        scores -= scores.amax(-1, keepdim=True)
        if bias is not None:
            scores.clamp_(min=LEAST)
        torch.exp(scores, out=exponentials)
        sums = exponentials.sum(-1)
        if silenced:
            exponentials[list(silenced)], sums[list(silenced)] = 0, 1
        yield Block(queries, scores, exponentials, sums)
