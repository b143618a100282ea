"""The attention of all layers in blocks; of a short sequence, several layers' heads at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import torch

from .blocks import SHORT, Block, blocks
from .call import Call


def blocks_of_all(
    calls: Sequence[Call],
    together: torch.Tensor | None,
    lengths: Sequence[Sequence[Sequence[float]]],
    of_layer: Callable[[int], Iterator[Block]],
) -> Iterator[Block]:
    """Blocks with scores, whose heads are counted through the layers: layer · heads + head.

    together, lengths: as in `call.lengths_of`. of_layer: the blocks of one layer, for those that have a bias, scales
    of their own or a long sequence.
    """
    heads, tokens = calls[0].q.shape[:2]
    one_scale = len({call.scale for call in calls}) == 1
    if together is not None and one_scale and tokens < SHORT and not any(call.has_bias for call in calls):
        q, k = together.transpose(0, 1).flatten(1, 2)
        silenced = tuple(layer * heads + head for layer, call in enumerate(calls) for head in call.silenced)
        through = [list(chain.from_iterable(of_layers)) for of_layers in zip(*lengths, strict=True)]
        yield from blocks(q, k, calls[0].scale, None, silenced, lengths=through, with_scores=True)
        return
    for first in range(0, len(calls) * heads, heads):
        for block in of_layer(first // heads):
            yield replace(block, heads=slice(first + block.heads.start, first + block.heads.stop))
