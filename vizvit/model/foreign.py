"""Modules of transformers and torchvision that were made elsewhere, as modules of timm with a copy of their weights.

A copy throughout: queries, keys and values stand in one matrix there, and a module of which half the weights followed
a training and half did not would be neither.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from .convert import LAYOUTS, converted
from .directory import network_of, of_transformers, said_by
from .network import Said, made

TORCHVISION = "torchvision.models.vision_transformer"


def own_module(module: nn.Module, name: str, labels: Iterable[str] | None) -> tuple[nn.Module, Iterable[str] | None]:
    """The module and the names of its classes; of a foreign Vision Transformer a module of timm that computes the same.

    Its weights are as they are at this moment; what is done to the original later does not show. Other modules come
    back as they are. Raises ModelError for a model type of transformers that cannot be shown.
    """
    config = getattr(module, "config", None)
    if any(f"{kind.__module__}.{kind.__name__}" == f"{TORCHVISION}.VisionTransformer" for kind in type(module).__mro__):
        layer = module.encoder.layers[0]
        layout = next(layout for layout in LAYOUTS if layout.name == "torchvision")
        network = converted(module.state_dict(), layout, "")
        prepared = {key: getattr(layout, key) for key in ("mean", "std", "interpolation")}
        said = Said(heads=layer.num_heads, activation="gelu", eps=layer.ln_1.eps, config=prepared)
    elif hasattr(config, "to_dict") and of_transformers(config.to_dict()):
        settings = config.to_dict()
        said = said_by(settings, None, name)
        network = network_of(module.state_dict(), settings, name)
    else:
        return module, labels
    own, _ = made(network, said, None, random=False)
    names = own.pretrained_cfg.get("label_names", ())
    return own, tuple(names) if labels is None and names and len(names) == own.num_classes else labels
