"""How a model tells places apart: similarity of position embeddings, or what stands in their stead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from ..forward.capture import Capture
from ..model.vit import POSITION_KINDS, VitModel
from .fusion import patch_map


def position_similarity(vit: VitModel) -> np.ndarray:
    """Cosine similarity of the position embeddings, float32 [rows, cols, rows, cols].

    Between the embedding at (row, col) and every other. ViT paper (Dosovitskiy et al., ICLR 2021), Fig. 7 centre.
    Raises ModelError for models that add no position embedding; `position_map` shows what they have instead.
    """
    table = vit.position_embedding()
    if table is None:
        raise ModelError(
            f"{vit.name} adds no position embedding; it has {POSITION_KINDS[vit.position_kind]}. "
            f"vizvit.position_map(capture) shows what there is instead."
        )
    return _cosine(table)


@dataclass(frozen=True)
class PositionMap:
    """values: float32 [rows, cols, rows, cols]; kind: a key of POSITION_KINDS; what: what the numbers are; signed: for
    the choice of a colour map; unit: what the colour bar is labelled."""

    values: np.ndarray
    kind: str
    what: str
    unit: str
    signed: bool = False

    def __repr__(self) -> str:
        rows, cols = self.values.shape[:2]
        return f"PositionMap({self.kind}: {self.what}, {rows}x{cols} patches)"


def position_map(cap: Capture) -> PositionMap | None:
    """What a model knows of where patches are, for each pair of patches; None where it has no notion of position.

    Added embeddings: their cosine similarity. Rotary: the mean over the frequencies of cos(angle difference), which is
    what the rotation alone makes of q·k for equal queries and keys (Su et al., RoFormer, 2021, section 3.4). Relative:
    the bias added to the scores, mean over layers and heads.
    """
    vit = cap.vit
    if vit.position_embedding() is not None:
        what = f"cosine similarity of the {vit.position_kind} position embeddings"
        if vit.position_kind == "rotary":
            what = "cosine similarity of the position embeddings that are added besides the rotary ones"
        return PositionMap(position_similarity(vit), vit.position_kind, what, "cosine similarity")
    angles = vit.rotary_embedding()
    if angles is not None:
        grid = vit.grid
        flat = angles.reshape(2, grid.rows * grid.cols, -1)
        values = (flat[0] @ flat[0].T + flat[1] @ flat[1].T) / flat.shape[-1]
        values = values.reshape(grid.rows, grid.cols, grid.rows, grid.cols)
        what = "mean cosine of the angle between the rotations of two places: no embedding is added to the patches"
        return PositionMap(values.astype(np.float32), "rotary", what, "mean cos of the angle")
    return _relative_bias(cap)


def _relative_bias(cap: Capture) -> PositionMap | None:
    total, count = None, 0
    for layer in range(cap.num_layers):
        bias = cap.bias(layer)
        if bias is None:
            continue
        mean = np.where(np.isfinite(bias), bias, 0).mean(0)  # [query, key]; -∞ forbids, it is no place
        total = mean if total is None else total + mean
        count += 1
    if total is None:
        return None
    to_patches = patch_map(total / count, cap)  # [query, rows, cols]
    values = patch_map(to_patches.transpose(1, 2, 0), cap).transpose(2, 3, 0, 1)
    what = (
        "relative position bias added to the scores, mean over layers and heads: no embedding is added to the patches"
    )
    return PositionMap(np.ascontiguousarray(values), "relative", what, "bias", signed=True)


def _cosine(table: np.ndarray) -> np.ndarray:
    rows, cols, dim = table.shape
    flat = table.reshape(rows * cols, dim).astype(np.float64)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    return (flat @ flat.T).clip(-1, 1).reshape(rows, cols, rows, cols).astype(np.float32)
