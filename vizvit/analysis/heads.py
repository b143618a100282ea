"""One number for each head: how far it looks, how widely, and how much at the prefix tokens."""

from __future__ import annotations

import numpy as np
import torch

from ..capture import Capture
from ..grid import PatchGrid


def attention_distance(cap: Capture) -> np.ndarray:
    """Mean attention distance, float32 [layer, head], in pixels of the model's input.

    For each query patch the distance to every patch's centre, weighted by its attention over the patches
    (renormalised without the prefix tokens); the mean over the query patches. ViT paper (Dosovitskiy et al., ICLR
    2021), Fig. 7 right.
    """
    prefix = cap.grid.num_prefix_tokens
    distances = torch.from_numpy(patch_distances(cap.grid)).to(cap.vit.device)
    values = []
    for attention in cap.layers():
        patches = attention[:, prefix:, prefix:]
        weighted = torch.einsum("hqk,qk->hq", patches, distances)
        values.append((weighted / patches.sum(-1).clamp_min(torch.finfo(torch.float32).tiny)).mean(-1))
    return torch.stack(values).cpu().numpy()


def attention_entropy(cap: Capture) -> np.ndarray:
    """Mean entropy of the attention rows, float32 [layer, head], in nats.

    -Σ a ln a over all keys, mean over all queries: 0 where every token looks at one token, ln(tokens) where it looks at
    all alike.
    """
    values = [torch.special.entr(attention).sum(-1).mean(-1) for attention in cap.layers()]
    return torch.stack(values).cpu().numpy()


def prefix_share(cap: Capture) -> np.ndarray:
    """The share of the patches' attention that goes to prefix tokens, float32 [layer, head], 0 to 1."""
    prefix = cap.grid.num_prefix_tokens
    values = [attention[:, prefix:, :prefix].sum(-1).mean(-1) for attention in cap.layers()]
    return torch.stack(values).cpu().numpy()


def patch_distances(grid: PatchGrid) -> np.ndarray:
    """Euclidean distance between patch centres in pixels, float32 [patch, patch]."""
    rows, cols = np.divmod(np.arange(grid.num_patches), grid.cols)
    between = np.hypot(rows[:, None] - rows, cols[:, None] - cols)
    return (between * grid.patch_size).astype(np.float32)
