"""Each stage of a Vision Transformer by hand, from its input and the weights, beside what the model computed.

    a = dissect(vit, view, layer=8)
    walk.scores(a, token=a.grid.token(5, 9), head=2).attention

A stage returns a frozen dataclass of float32 NumPy arrays. Its `difference` is the greatest absolute difference from
what the model itself computed for that step. A stage that an architecture does not have raises `Absent`.
"""

from .absent import Absent
from .attention import Heads, Qkv, Scores, WeightedSum, heads, qkv, scores, weighted_sum
from .depth import Depth, depth
from .embedding import Embedding, Flat, Patches, embedding, flatten, patches
from .head import Head, head
from .mlp import Mlp, mlp
from .norms import BatchNorm, LayerNorm, batch_norm, layer_norm
from .sequence import Position, Prefix, position, prefix

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
