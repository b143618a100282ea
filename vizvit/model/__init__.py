"""A timm module ready to be looked at: found by name, loaded, and its parts known by their part in the paper."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .vit import POSITION_KINDS, VitModel

__all__ = ["CHECKPOINTS", "POSITION_KINDS", "VitModel"]

# What files of weights mostly end in; what they hold is known by their content.
CHECKPOINTS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import vit  # here, so that the command line knows the endings without waiting for PyTorch

    return getattr(vit, name)
