"""How a timm module is built: its architecture, patch embedding, grid and prefix tokens."""

from __future__ import annotations

import numpy as np
import timm
from torch import nn

from .errors import ModelError
from .grid import PatchGrid


def architecture_of(module: nn.Module) -> str:
    config = getattr(module, "pretrained_cfg", None) or {}
    return config.get("architecture") or type(module).__name__


def is_embedding(module: nn.Module) -> bool:
    # Contrastive image towers end in a projection to the joint space with text; timm calls its width num_classes.
    config = getattr(module, "pretrained_cfg", None) or {}
    name, tag = config.get("architecture") or "", config.get("tag") or ""
    contrastive = any(word in name for word in ("clip", "siglip", "_pe_core"))
    if not (contrastive and tag) or "in1k" in tag or "in12k" in tag or config.get("label_names"):
        return False
    original = timm.models.get_pretrained_cfg(f"{name}.{tag}")
    return original is None or original.num_classes == module.num_classes


def adds_positions(module: nn.Module) -> bool:
    holder = getattr(module, "embeds", module)
    return any(getattr(holder, name, None) is not None for name in ("pos_embed", "pos_embed_y"))


def input_size_of(module: nn.Module, wanted: tuple[int, int]) -> tuple[int, int]:
    embed = embedder_of(module)
    height, width = getattr(embed, "img_size", None) or wanted
    if not getattr(embed, "strict_img_size", False):  # a model that takes any size takes it in whole patches
        down, across = np.broadcast_to(getattr(embed, "patch_size", 1), 2)
        height, width = height // down * down, width // across * across
    return int(height), int(width)


def embedder_of(module: nn.Module) -> nn.Module | None:
    return getattr(module, "patch_embed", None) or getattr(module, "embeds", None)


def describe_grid(module: nn.Module, name: str, input_size: tuple[int, int]) -> PatchGrid:
    blocks = getattr(module, "blocks", None)
    embed = embedder_of(module)
    if not isinstance(blocks, (nn.Sequential, nn.ModuleList)) or embed is None or not hasattr(embed, "patch_size"):
        raise ModelError(
            f"{name} ({type(module).__name__}) is not a plain Vision Transformer: it has no single sequence of "
            f"transformer blocks over image patches. Choose a model of timm's vision_transformer, deit, eva, beit, "
            f"vision_transformer_relpos or naflexvit modules."
        )
    if hasattr(embed, "backbone"):  # a hybrid: the tokens are cells of a convolutional network's feature map
        patch = [side / cells for side, cells in zip(input_size, embed.grid_size, strict=True)]
    else:
        patch = np.broadcast_to(embed.patch_size, 2).tolist()
    if patch[0] != patch[1] or patch[0] != int(patch[0]):
        raise ModelError(f"{name} cuts the image into {patch[0]}x{patch[1]} patches; only square patches can be shown.")
    size = int(patch[0])
    grid_size = getattr(embed, "grid_size", None) or tuple(side // size for side in input_size)
    rows, cols = (int(side) for side in grid_size)
    if rows < 1 or cols < 1:
        raise ModelError(f"{name} has patches of {size} pixels; choose an image size of at least {size}x{size}.")
    prefix = int(getattr(module, "num_prefix_tokens", 0))
    return PatchGrid(rows, cols, size, _prefix_names(module, prefix))


def _prefix_names(module: nn.Module, count: int) -> tuple[str, ...]:
    holder = getattr(module, "embeds", module)
    names = []
    if getattr(holder, "cls_token", None) is not None:
        names.append("class")
    if getattr(holder, "dist_token", None) is not None:
        names.append("distillation")
    registers = count - len(names)
    names += [f"register {i + 1}" for i in range(registers)]
    return tuple(names[:count])
