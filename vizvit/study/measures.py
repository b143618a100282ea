"""What is measured on one picture: each head's statistics, and whether maps and heads find the object."""

from __future__ import annotations

import numpy as np
import torch

from ..analysis import head_statistics
from ..analysis.fusion import attention_values
from ..forward.capture import Capture
from ..grid import PatchGrid

MEASURES = ("distance", "entropy", "prefix_share", "sink_share", "agreement")


def head_measures(cap: Capture, inside: np.ndarray | None) -> dict[str, np.ndarray | None]:
    """MEASURES of one picture by name, float32 [layer, head] each; None where there is no such thing to measure.

    distance in pixels of the model's input, entropy in nats, prefix_share as the functions of `vizvit` give them;
    sink_share: the share of all attention that goes to `attention_sinks`. agreement: see there.
    inside: bool [H, W], the pixels of the view that belong to the object; None where it is not known.
    """
    found = head_statistics(cap)
    return {
        "distance": found["distance"],
        "entropy": found["entropy"],
        "prefix_share": found["prefix_share"] if cap.grid.num_prefix_tokens else None,
        "sink_share": (found["received"] * found["sinks"]).sum(-1),
        "agreement": None if inside is None else agreement(cap, inside),
    }


def agreement(cap: Capture, inside: np.ndarray) -> np.ndarray:
    """How much more a head looks at the object than at any other place, float32 [layer, head].

    The share of the attention on patches that falls into the object's box, over the box's share of the picture: 1 is
    no preference, 1 / that share is the most there can be. Read from the class token; without one, the mean over the
    patches. A patch that the box cuts counts by the part of it that is inside.
    """
    cover = torch.from_numpy(box_cover(inside, cap.grid)).to(cap.vit.device)  # [patch]
    prefix = cap.grid.num_prefix_tokens
    values = []
    for layer in range(cap.num_layers):
        patches = attention_values(cap, layer)[:, prefix:]  # [head, patch]
        looked = patches.sum(-1).clamp_min(torch.finfo(torch.float32).tiny)
        values.append(patches @ cover / looked / cover.mean())
    return torch.stack(values).cpu().numpy()


def box_cover(inside: np.ndarray, grid: PatchGrid) -> np.ndarray:
    """The part of each patch that is inside, float32 [patch], 0 to 1, in the sequence's order."""
    height, width = grid.image_size
    patches = inside[:height, :width].reshape(grid.rows, grid.patch_size, grid.cols, grid.patch_size).mean((1, 3))
    rows, cols = np.array(grid.places).reshape(-1, 2).T
    return patches[rows, cols].astype(np.float32)
