"""What each head does as a whole: how far and how widely it looks, how much at the prefix tokens, what draws it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..forward.blocks import SHORT
from ..forward.capture import Capture
from ..grid import PatchGrid
from ..model.tokens import Token
from .fusion import tokens_of


def head_statistics(cap: Capture) -> dict[str, np.ndarray]:
    """What each head does as a whole, from one pass over the layers; none of their matrices is formed.

    distance [layer, head]: see `attention_distance`; entropy [layer, head]: see `attention_entropy`; prefix_share
    [layer, head]: see `prefix_share`; received [layer, head, token]: see `attention_received`; sinks, bool
    [layer, head, token]: see `attention_sinks`. The others are float32.
    """
    tokens, prefix = cap.num_tokens, cap.grid.num_prefix_tokens
    distances = _distances(cap.grid, cap.device)
    heads = cap.num_layers * cap.num_heads  # counted through the layers
    sums, received = (torch.zeros(*size, heads, tokens, device=cap.device) for size in ((5,), ()))
    for block in cap.blocks_of_all():
        exponentials = block.exponentials
        # Column by column: PyTorch's sum of rows of one number takes as long as that of all patches.
        on_prefix = sum(exponentials[..., :prefix].unbind(-1), torch.zeros_like(block.sums))
        on_patches = exponentials[..., prefix:].sum(-1)
        received[block.heads] += ((1 / block.sums)[:, None] @ exponentials)[:, 0]
        scored = _dots(block.scores, exponentials)
        reach = _dots(exponentials, distances[block.queries])
        of_rows = torch.stack([block.sums, on_prefix, on_patches, scored, reach])
        sums[:, block.heads, block.queries] = of_rows
    sums, received = (array.unflatten(-2, (cap.num_layers, cap.num_heads)) for array in (sums, received))
    whole, on_prefix, on_patches, scored, reach = sums
    least = torch.finfo(torch.float32).tiny
    means = {
        "distance": (reach / on_patches.clamp_min(least))[..., prefix:].mean(-1),
        "entropy": (whole.log() - scored / whole).mean(-1),
        "prefix_share": (on_prefix / whole)[..., prefix:].mean(-1),
        "received": received / tokens,
    }
    found = {name: values.cpu().numpy() for name, values in means.items()}
    return found | {"sinks": _sinks(found["received"])}


def attention_distance(cap: Capture) -> np.ndarray:
    """Mean attention distance, float32 [layer, head], in pixels of the model's input.

    For each query patch the distance to every patch's centre, weighted by its attention over the patches
    (renormalised without the prefix tokens); the mean over the query patches. ViT paper (Dosovitskiy et al., ICLR
    2021), Fig. 7 right. This function and those below each make the whole pass of `head_statistics`.
    """
    return head_statistics(cap)["distance"]


def attention_entropy(cap: Capture) -> np.ndarray:
    """Mean entropy of the attention rows, float32 [layer, head], in nats.

    -Σ a ln a over all keys, mean over all queries: 0 where every token looks at one token, ln(tokens) where it looks at
    all alike.
    """
    return head_statistics(cap)["entropy"]


def entropy_from(cap: Capture, layer: int = -1, token: Token | None = None) -> float:
    """Entropy of one layer's attention from a token, in nats, mean over the heads.

    token: None is the class token; without one, the mean over the patches' entropies.
    """
    rows = cap.attention_tensor(layer)[:, tokens_of(cap, token)]  # [head, query, key]
    return float(torch.special.entr(rows).sum(-1).mean())


def prefix_share(cap: Capture) -> np.ndarray:
    """The share of the patches' attention that goes to prefix tokens, float32 [layer, head], 0 to 1."""
    return head_statistics(cap)["prefix_share"]


def attention_received(cap: Capture) -> np.ndarray:
    """The share of a head's attention that each token draws, float32 [layer, head, token]: the mean over all queries.

    A token's even share is 1 / tokens; those of a head sum to 1.
    """
    return head_statistics(cap)["received"]


def attention_sinks(cap: Capture) -> np.ndarray:
    """Which tokens draw far more attention than their share, bool [layer, head, token].

    Found from each head's own values, without a fixed threshold: with c and s the median and 1.4826 · the median
    absolute deviation of the logarithms of `attention_received`, a sink lies above c + s · √(2 ln tokens), the level
    that the greatest of so many normal values hardly exceeds: the universal threshold of Donoho & Johnstone, "Ideal
    spatial adaptation by wavelet shrinkage" (Biometrika 81, 1994). It also draws at least twice its even share, so
    that nothing is a sink where a head looks at all tokens nearly alike.

    The name is that of Xiao et al., "Efficient Streaming Language Models with Attention Sinks" (ICLR 2024); in vision
    transformers they are often patches without content (Darcet et al., "Vision Transformers Need Registers", ICLR
    2024).
    """
    return head_statistics(cap)["sinks"]


def _dots(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a · b along the last axis, [head, query]; a [head, query, key], b the same or [query, key].

    Short rows' products are written down in the place of a, which stays in the processor's cache; those of many long
    ones do not.
    """
    if a.device.type != "cpu" or a.shape[-1] < SHORT:
        return a.mul_(b).sum(-1)
    return torch.stack([(x[:, None] @ y[:, None].mT)[:, 0, 0] for x, y in zip(a, b.expand_as(a), strict=True)])


@lru_cache(maxsize=2)
def _distances(grid: PatchGrid, device: torch.device) -> torch.Tensor:
    """`patch_distances`, and 0 from and to prefix tokens, [token, token]: the same for all pictures of a size."""
    prefix = grid.num_prefix_tokens
    return torch.nn.functional.pad(torch.from_numpy(patch_distances(grid)), (prefix, 0, prefix, 0)).to(device)


def _sinks(received: np.ndarray) -> np.ndarray:
    tokens = received.shape[-1]
    logs = np.log(np.maximum(received, np.finfo(np.float32).tiny).astype(np.float64))
    centre = _median(logs)
    spread = 1.4826 * _median(np.abs(logs - centre))
    return (logs > centre + spread * np.sqrt(2 * np.log(tokens))) & (received * tokens >= 2)


def _median(values: np.ndarray) -> np.ndarray:
    """Along the last axis, which stays. NumPy's own partitions, in four times its vectorised sort's time."""
    count, ordered = values.shape[-1], np.sort(values, -1)
    return (ordered[..., (count - 1) // 2, None] + ordered[..., count // 2, None]) / 2


def standing_out(heat: np.ndarray) -> np.ndarray:
    """Which patches of a map have far more than their share, bool [rows, cols]: by the threshold of `attention_sinks`,
    among the patches that have anything.

    heat: [rows, cols], raw non-negative values.
    """
    values = np.asarray(heat, np.float64)
    found, some = np.zeros(values.shape, bool), values > 0
    if some.any():
        found[some] = _sinks(values[some] / values.sum())
    return found


def uniform_head(grid: PatchGrid) -> dict[str, float]:
    """What a head that looks at all tokens alike has, by the names of `head_statistics`: distance in pixels, entropy in
    nats, prefix_share."""
    return {
        "distance": float(patch_distances(grid).mean(dtype=np.float64)),
        "entropy": float(np.log(grid.num_tokens)),
        "prefix_share": grid.num_prefix_tokens / grid.num_tokens,
    }


def patch_distances(grid: PatchGrid) -> np.ndarray:
    """Euclidean distance between patch centres in pixels, float32 [patch, patch], in the sequence's order."""
    rows, cols = np.array(grid.places).reshape(-1, 2).T
    between = np.hypot(rows[:, None] - rows, cols[:, None] - cols)
    return (between * grid.patch_size).astype(np.float32)
