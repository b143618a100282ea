"""A say at every block: work that takes long can be ended, or held up, before the next attention."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

# A block of a forward pass makes the first call; attention that is derived of a capture the others.
ATTENTION = (F.scaled_dot_product_attention, torch.Tensor.softmax, torch.exp)


class EachBlock(TorchFunctionMode):
    """While this is open, `tell` is called at each block of what this thread computes; what it raises ends the work.

    with EachBlock(still_wanted):
        vizvit.explain(vit, view, "relevance")

    Forward and backward: before each attention, and when the gradient of its output is there. The models are left as
    they are. On a GPU, which runs ahead, `tell` is called for what is asked of it, in the backward pass by a thread of
    its own.
    """

    def __init__(self, tell: Callable[[], object]):
        super().__init__()
        self._tell = tell

    def __torch_function__(self, func: Callable, types: Collection[type], args: tuple = (), kwargs: dict | None = None):
        if func not in ATTENTION:
            return func(*args, **(kwargs or {}))
        self._tell()
        out = func(*args, **(kwargs or {}))
        if out.requires_grad:
            out.register_hook(self._backward)
        return out

    def _backward(self, gradient: torch.Tensor) -> None:
        self._tell()
