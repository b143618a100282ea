"""Where a picture's attention tells most: the head and the patch that look far, and elsewhere than other patches do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..forward.capture import Capture

_QUERIES = 256  # as many patches are tried, spread over the grid
_ROOM = 10  # the outermost tenth of the grid is left out: what lies there is often the frame's doing
_FAR = 4  # farther than a quarter of the grid, so that heads for neighbours do not win


@dataclass(frozen=True)
class TellingLook:
    """One patch in one head. excess: how much its attention to far patches tells beyond the mean patch's, in nats."""

    layer: int
    head: int
    row: int
    col: int
    excess: float


def telling_look(cap: Capture) -> TellingLook:
    """The look with the greatest excess: the sum of a · ln(a / m) over the patches farther away than a quarter of the
    grid and not at its edge, where a is the patch's attention and m the mean of all that are tried. It is their part of
    the Kullback-Leibler divergence.
    """
    grid, first = cap.grid, cap.grid.num_prefix_tokens
    row, col = np.divmod(np.arange(grid.num_patches), grid.cols)
    inner = (np.minimum(row, grid.rows - 1 - row) >= grid.rows // _ROOM) & (
        np.minimum(col, grid.cols - 1 - col) >= grid.cols // _ROOM
    )
    tried = np.flatnonzero(inner)
    tried = tried[:: -(-len(tried) // _QUERIES)]
    apart = np.maximum(abs(row[tried, None] - row), abs(col[tried, None] - col))  # [query, patch]
    far = (apart > max(grid.rows, grid.cols) // _FAR) & inner
    best = TellingLook(0, 0, grid.rows // 2, grid.cols // 2, -np.inf)
    for layer in range(cap.num_layers):
        attention = cap.attention_rows(layer, first + tried)[..., first:].cpu().numpy()
        mean = attention.mean(1, keepdims=True)
        excess = (attention * np.log((attention + 1e-12) / (mean + 1e-12)) * far).sum(-1)  # [head, query]
        head, query = np.unravel_index(excess.argmax(), excess.shape)
        if excess[head, query] > best.excess:
            place = int(row[tried[query]]), int(col[tried[query]])
            best = TellingLook(layer, int(head), *place, float(excess[head, query]))
    return best
