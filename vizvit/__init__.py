"""VizViT: see how a Vision Transformer attends.

    vit = vizvit.load_model("vizvit-tiny")
    cap = vizvit.capture(vit, vizvit.load_image("cat.jpg"))
    heat = vizvit.rollout(cap)
    picture = vizvit.overlay(vit.view(image), heat)

A name is imported when it is first used: `python -m vizvit --help` need not wait for PyTorch.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._moved import Finder as _Finder
from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .analysis import (
        artefact_tokens,
        attention_distance,
        attention_entropy,
        attention_map,
        attention_received,
        attention_sinks,
        describe_query,
        embedding_filters,
        fuse_heads,
        gradient_rollout,
        head_statistics,
        patch_components,
        patch_map,
        patch_similarity,
        position_map,
        position_similarity,
        prefix_share,
        relevance,
        rollout,
        rollout_steps,
        token_norms,
    )
    from .errors import CaptureError, ImageError, ModelError
    from .explanations import contrast, explain
    from .explorer.notebook import show
    from .explorer.standalone import save_explorer
    from .faithful import faithfulness, faithfulness_many, random_curves, weight_randomisation
    from .figures import figure, overlay
    from .forward.anatomy import dissect
    from .forward.batch import captures
    from .forward.capture import Capture, capture, capture_view
    from .forward.tensor import capture_tensor
    from .grid import PatchGrid
    from .interventions import (
        DropPatches,
        KnockOutAttention,
        KnockOutHeads,
        KnockOutLayers,
        NoScaling,
        PositionEmbedding,
        RandomWeights,
        ShufflePatches,
        Temperature,
        UnseenPatches,
        intervene,
        shuffled_class_difference,
    )
    from .model.loading import load_model
    from .model.vit import VitModel
    from .pictures.load import load_image

__all__ = [
    "Capture",
    "CaptureError",
    "DropPatches",
    "ImageError",
    "KnockOutAttention",
    "KnockOutHeads",
    "KnockOutLayers",
    "ModelError",
    "NoScaling",
    "PatchGrid",
    "PositionEmbedding",
    "RandomWeights",
    "ShufflePatches",
    "Temperature",
    "UnseenPatches",
    "VitModel",
    "artefact_tokens",
    "attention_distance",
    "attention_entropy",
    "attention_map",
    "attention_received",
    "attention_sinks",
    "capture",
    "capture_tensor",
    "capture_view",
    "captures",
    "contrast",
    "describe_query",
    "dissect",
    "embedding_filters",
    "explain",
    "faithfulness",
    "faithfulness_many",
    "figure",
    "fuse_heads",
    "gradient_rollout",
    "head_statistics",
    "intervene",
    "load_image",
    "load_model",
    "overlay",
    "patch_components",
    "patch_map",
    "patch_similarity",
    "position_map",
    "position_similarity",
    "prefix_share",
    "random_curves",
    "relevance",
    "rollout",
    "rollout_steps",
    "save_explorer",
    "show",
    "shuffled_class_difference",
    "token_norms",
    "weight_randomisation",
]

# The submodule that each name comes from, where it is not `analysis`.
_HOMES = {
    "dissect": "forward.anatomy",
    "Capture": "forward.capture",
    "CaptureError": "errors",
    "DropPatches": "interventions",
    "ImageError": "errors",
    "KnockOutAttention": "interventions",
    "KnockOutHeads": "interventions",
    "KnockOutLayers": "interventions",
    "ModelError": "errors",
    "NoScaling": "interventions",
    "PatchGrid": "grid",
    "PositionEmbedding": "interventions",
    "RandomWeights": "interventions",
    "ShufflePatches": "interventions",
    "Temperature": "interventions",
    "UnseenPatches": "interventions",
    "VitModel": "model.vit",
    "capture": "forward.capture",
    "capture_tensor": "forward.tensor",
    "capture_view": "forward.capture",
    "captures": "forward.batch",
    "contrast": "explanations",
    "explain": "explanations",
    "faithfulness": "faithful",
    "faithfulness_many": "faithful",
    "figure": "figures",
    "intervene": "interventions",
    "load_image": "pictures.load",
    "load_model": "model.loading",
    "overlay": "figures",
    "random_curves": "faithful",
    "save_explorer": "explorer.standalone",
    "show": "explorer.notebook",
    "shuffled_class_difference": "interventions",
    "weight_randomisation": "faithful",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES.get(name, 'analysis')}", __name__), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.meta_path.append(_Finder(__name__))
