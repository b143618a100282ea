"""A timm module ready to be looked at: found by name, loaded, and its parts known by their part in the paper."""

from .vit import POSITION_KINDS, VitModel

__all__ = ["POSITION_KINDS", "VitModel"]
