"""Maps from attention and its gradient: nothing but queries, keys, values and the gradient of the attention output.

No more than one layer's [head, query, key] is held at a time.
"""

from __future__ import annotations

import numpy as np

from ..analysis import gradient_rollout, patch_map, relevance, rollout
from ..analysis.fusion import query_row
from ..capture import Token
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

    That is the mean over the patches in a model that pools them, even where it has a class token, whose row has no
    gradient in the last layer then.
    """
    cap = task.capture_with_gradients()
    attention, gradient = cap.attention_gradients(-1)
    weighted = attention.mul_(gradient).clamp_(min=0).mean(0)  # [query, key]
    pool = cap.pool_attention_tensor()
    if pool is not None:
        pool = pool.mul(cap.pool_gradient()).clamp_(min=0).mean(0)
    area = None
    if token is None and cap.vit.read_out == "mean of patches":
        area = (0, 0, cap.grid.rows - 1, cap.grid.cols - 1)
    return patch_map(query_row(cap, token, pool, area) @ weighted, cap)
