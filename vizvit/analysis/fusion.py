"""Fusing the heads of a layer into one matrix, and reading a token's row as a map."""

from __future__ import annotations

import numpy as np
import torch

from ..capture import Capture, Token
from ..errors import CaptureError

HEAD_FUSIONS = ("mean", "max", "min")


def fuse_heads(attention: torch.Tensor, head_fusion: str = "mean") -> torch.Tensor:
    """[head, ...] -> [...] by "mean", "max" or "min" over the heads."""
    if head_fusion == "mean":
        return attention.mean(0)
    if head_fusion == "max":
        return attention.amax(0)
    if head_fusion == "min":
        return attention.amin(0)
    raise CaptureError(f'Head fusion is one of {", ".join(HEAD_FUSIONS)}; received "{head_fusion}".')


def patch_map(row: np.ndarray | torch.Tensor, cap: Capture) -> np.ndarray:
    """The patches' part of rows over all tokens: [..., token] -> [..., rows, cols], prefix tokens left out."""
    row = row.cpu().numpy() if isinstance(row, torch.Tensor) else np.asarray(row)
    grid = cap.grid
    return np.ascontiguousarray(
        row[..., grid.num_prefix_tokens :].reshape(*row.shape[:-1], grid.rows, grid.cols), dtype=np.float32
    )


def attention_map(
    cap: Capture, layer: int = -1, *, head: int | None = None, head_fusion: str = "mean", token: Token | None = None
) -> np.ndarray:
    """One layer's attention from a query to the patches, float32 [rows, cols], prefix tokens left out.

    head: one head; None fuses all by head_fusion, "mean", "max" or "min".
    token: the query. None is the class token; without one, the mean over the patch queries.
    """
    if token is None and "class" in cap.grid.prefix_names:
        token = "cls"
    if token is not None:
        rows = cap.attention_row(layer, token)
    else:
        rows = cap.attention_tensor(layer)[:, cap.grid.num_prefix_tokens :].mean(1)
    if head is not None and not 0 <= head < cap.num_heads:
        raise CaptureError(f"There is no head {head}: {cap.vit.name} has heads 0 to {cap.num_heads - 1} in each layer.")
    fused = rows[head] if head is not None else fuse_heads(rows, head_fusion)
    return patch_map(fused, cap)


def query_row(cap: Capture, token: Token | None, pool_weights: torch.Tensor | None) -> torch.Tensor:
    """What is read at the end of a chain, as weights over tokens, [token].

    A token: one at its place. None: the class token; without one, the pooling head's own weights (given as
    pool_weights), or else the mean over the patches.
    """
    names = cap.grid.prefix_names
    row = torch.zeros(cap.num_tokens, device=cap.vit.device)
    if token is not None:
        row[cap.token_index(token)] = 1
    elif "class" in names:
        row[names.index("class")] = 1
    elif pool_weights is not None:
        row = pool_weights.clone()
    else:
        row[cap.grid.num_prefix_tokens :] = 1 / cap.grid.num_patches
    return row


def describe_query(cap: Capture, token: Token | None = None, *, pooled: bool = True) -> str:
    """Which query a map was read from, in words for a caption. pooled: token=None may mean the pooling head's."""
    if token is not None:
        name = cap.grid.name(cap.token_index(token))
        return f"{name} token" if name in cap.grid.prefix_names else f"patch at {name}"
    if "class" in cap.grid.prefix_names:
        return "class token"
    return "pooling head's query" if pooled and cap.has_pooling_head else "mean over all patch queries"
