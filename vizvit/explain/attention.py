"""Maps from attention and its gradient: nothing but queries, keys, values and the gradient of the attention output.

No more than one layer's [head, query, key] is held at a time.
"""

from __future__ import annotations

import numpy as np
import torch

from ..analysis import gradient_rollout, patch_map, relevance, rollout
from ..analysis.fusion import query_row
from ..capture import Capture, Token
from .task import Task


def last_layer(task: Task, *, head_fusion: str = "mean", token: Token | None = None) -> np.ndarray:
    """Where the read-out token looks in the last layer, heads fused."""
    return rollout(task.capture(), head_fusion=head_fusion, residual=0.0, start_layer=-1, token=token)


def flow(
    task: Task,
    *,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
    residual: float = 0.5,
    start_layer: int = 0,
    token: Token | None = None,
) -> np.ndarray:
    """`vizvit.rollout`."""
    return rollout(
        task.capture(),
        head_fusion=head_fusion,
        discard_ratio=discard_ratio,
        residual=residual,
        start_layer=start_layer,
        token=token,
    )


def gradient_flow(
    task: Task,
    *,
    discard_ratio: float = 0.0,
    residual: float = 0.5,
    start_layer: int = 0,
    token: Token | None = None,
) -> np.ndarray:
    """`vizvit.gradient_rollout`."""
    cap = task.capture_with_gradients()
    return gradient_rollout(cap, discard_ratio=discard_ratio, residual=residual, start_layer=start_layer, token=token)


def relevance_map(task: Task, *, token: Token | None = None) -> np.ndarray:
    """`vizvit.relevance`."""
    return relevance(task.capture_with_gradients(), token=token)


def last_layer_gradient(task: Task, *, token: Token | None = None) -> np.ndarray:
    """mean_h (A ⊙ ∂y/∂A)⁺ of the last layer, in the row that the prediction is read from.

    That is the pooling head's weights or the mean over the patches in a model that pools its tokens, even where it has
    a class token: with the mean, that token's row has no gradient in the last layer.
    """
    cap = task.capture_with_gradients()
    attention, gradient = cap.attention_gradients(-1)
    weighted = attention.mul_(gradient).clamp_(min=0).mean(0)  # [query, key]
    return patch_map(_read_row(cap, token) @ weighted, cap)


def _read_row(cap: Capture, token: Token | None) -> torch.Tensor:
    """[token]: one at the token; for None the weights with which the prediction is read from the last layer."""
    pool = cap.pool_attention_tensor()
    if token is None and pool is not None:
        return pool.mul(cap.pool_gradient()).clamp_(min=0).mean(0)
    every_patch = (0, 0, cap.grid.rows - 1, cap.grid.cols - 1)
    pooled = token is None and cap.vit.read_out == "mean of patches"
    return query_row(cap, token, None, every_patch if pooled else None)
