"""Maps from attention and its gradient: nothing but queries, keys, values and the gradient of the attention output.

They are read where the prediction is read: a class token that the prediction does not read says nothing of the class.
No more than one layer's [head, query, key] is held at a time.
"""

from __future__ import annotations

import numpy as np

from ..analysis import gradient_rollout, patch_map, relevance, rollout
from ..analysis.fusion import READ_OUT, query_row
from ..forward.capture import Capture
from ..forward.flow import Flow, through_layer
from ..model.tokens import Token
from .task import Task


def last_layer(task: Task, *, head_fusion: str = "mean", token: Token | None = READ_OUT) -> np.ndarray:
    """Where the read-out token looks in the last layer, heads fused."""
    return rollout(task.capture(), head_fusion=head_fusion, residual=0.0, start_layer=-1, token=token)


def flow(
    task: Task,
    *,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
    residual: float = 0.5,
    start_layer: int = 0,
    token: Token | None = READ_OUT,
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
    token: Token | None = READ_OUT,
) -> np.ndarray:
    """`vizvit.gradient_rollout`."""
    cap = task.capture_with_gradients()
    return gradient_rollout(
        cap,
        discard_ratio=discard_ratio,
        residual=residual,
        start_layer=start_layer,
        token=token,
        include_own=not _at_tokens_themselves(cap, token),
    )


def relevance_map(task: Task, *, token: Token | None = READ_OUT) -> np.ndarray:
    """`vizvit.relevance`."""
    cap = task.capture_with_gradients()
    return relevance(cap, token=token, include_own=not _at_tokens_themselves(cap, token))


def last_layer_gradient(task: Task, *, token: Token | None = READ_OUT) -> np.ndarray:
    """mean_h (A ⊙ ∂y/∂A)⁺ of the last layer, read where the prediction is read."""
    cap = task.capture_with_gradients()
    pool = cap.pool_attention_tensor()
    weights = None if pool is None else pool.mul(cap.pool_gradient()).clamp_(min=0).mean(0)
    last = Flow(query_row(cap, token, weights))
    through_layer([last], cap.gradient_rows(-1, span=last.span))
    return patch_map(last.gained, cap)


def _at_tokens_themselves(cap: Capture, token: Token | None) -> bool:
    """Whether a map is read at the tokens that it shows, each of which has itself over the skip connections."""
    return token == READ_OUT and not cap.has_pooling_head
