"""Each stage of a Vision Transformer by hand, from its input and the weights, beside what the model computed.

    a = dissect(vit, view, layer=8)
    walk.scores(a, token=a.grid.token(5, 9), head=2).attention

A stage returns a frozen dataclass of float32 NumPy arrays. Its `difference` is the greatest absolute difference from
what the model itself computed for that step. A stage that an architecture does not have raises `Absent`.

A name is imported when it is first used: lessons and the list of stages need not wait for PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .attention import Heads, Qkv, Scores, WeightedSum, heads, qkv, scores, weighted_sum
    from .feed_forward import Mlp, mlp
    from .formulas import Absent
    from .logits import Head, head
    from .norms import BatchNorm, LayerNorm, batch_norm, layer_norm
    from .pixels import Embedding, Flat, Patches, embedding, flatten, patches
    from .sequence import Position, Prefix, position, prefix
    from .streams import Depth, depth

__all__ = [
    "Absent",
    "BatchNorm",
    "Depth",
    "Embedding",
    "Flat",
    "Head",
    "Heads",
    "LayerNorm",
    "Mlp",
    "Patches",
    "Position",
    "Prefix",
    "Qkv",
    "Scores",
    "WeightedSum",
    "batch_norm",
    "depth",
    "embedding",
    "flatten",
    "head",
    "heads",
    "layer_norm",
    "mlp",
    "patches",
    "position",
    "prefix",
    "qkv",
    "scores",
    "weighted_sum",
]

# The file that each name comes from; none is called as a name is, so that importing a file hides nothing.
_HOMES = {
    "Absent": "formulas",
    "BatchNorm": "norms",
    "Depth": "streams",
    "Embedding": "pixels",
    "Flat": "pixels",
    "Head": "logits",
    "Heads": "attention",
    "LayerNorm": "norms",
    "Mlp": "feed_forward",
    "Patches": "pixels",
    "Position": "sequence",
    "Prefix": "sequence",
    "Qkv": "attention",
    "Scores": "attention",
    "WeightedSum": "attention",
    "batch_norm": "norms",
    "depth": "streams",
    "embedding": "pixels",
    "flatten": "pixels",
    "head": "logits",
    "heads": "attention",
    "layer_norm": "norms",
    "mlp": "feed_forward",
    "patches": "pixels",
    "position": "sequence",
    "prefix": "sequence",
    "qkv": "attention",
    "scores": "attention",
    "weighted_sum": "attention",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, getattr(import_module(f".{_HOMES[name]}", __name__), name))
