"""VizViT: see how a Vision Transformer attends.

    vit = vizvit.load_model("vizvit-tiny")
    cap = vizvit.capture(vit, vizvit.load_image("cat.jpg"))
    heat = vizvit.rollout(cap)
    picture = vizvit.overlay(vit.view(image), heat)
"""

from .analysis import (
    attention_distance,
    attention_entropy,
    attention_map,
    describe_query,
    embedding_filters,
    fuse_heads,
    gradient_rollout,
    patch_map,
    position_map,
    position_similarity,
    prefix_share,
    relevance,
    rollout,
    rollout_steps,
)
from .capture import Capture, capture
from .errors import CaptureError, ImageError, ModelError
from .figures import overlay
from .grid import PatchGrid
from .image import load_image
from .loading import load_model
from .model import VitModel

__version__ = "0.1.0"

__all__ = [
    "Capture",
    "CaptureError",
    "ImageError",
    "ModelError",
    "PatchGrid",
    "VitModel",
    "attention_distance",
    "attention_entropy",
    "attention_map",
    "capture",
    "describe_query",
    "embedding_filters",
    "fuse_heads",
    "gradient_rollout",
    "load_image",
    "load_model",
    "overlay",
    "patch_map",
    "position_map",
    "position_similarity",
    "prefix_share",
    "relevance",
    "rollout",
    "rollout_steps",
]
