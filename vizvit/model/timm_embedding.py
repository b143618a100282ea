"""What timm's families call what stands before the blocks: patch embedding, grid, prefix tokens, positions.

With `timm_parts`, the one place that knows: a family with names of its own is an entry in these two files. None stands
for a part that a model does not have, or that is not made as the paper has it.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from timm.layers import resample_abs_pos_embed
from torch import nn

from ..errors import ModelError
from ..grid import PatchGrid
from .parts import Kernel
from .timm_parts import norm

BIAS_NAMES = ("rel_pos", "relative_position")  # of the parameters that a relative position bias is made from


def embedder_of(module: nn.Module) -> nn.Module | None:
    return patch_embed_of(module) or getattr(module, "embeds", None)


def patch_embed_of(module: nn.Module) -> nn.Module | None:
    """The patch embedding where it is apart; None for NaFlex, which embeds and places patches in one step."""
    return getattr(module, "patch_embed", None)


def embedded_by(module: nn.Module) -> nn.Module | None:
    """The module whose output are the embedded patches, before anything is added to them."""
    embed = patch_embed_of(module)
    return getattr(getattr(module, "embeds", None), "norm", None) if embed is None else embed


def learned_by(module: nn.Module) -> nn.Module:
    """Where the learned tokens and positions are: NaFlex has them in its embedding, all others in the model."""
    return getattr(module, "embeds", module)


def is_vit(module: nn.Module) -> bool:
    """Whether it is a sequence of blocks over image patches, whatever stands between and after them."""
    blocks = getattr(module, "blocks", None)
    return isinstance(blocks, (nn.Sequential, nn.ModuleList)) and hasattr(embedder_of(module), "patch_size")


def place_of(module: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Where the input has to be, and of what type: as the weights that read it."""
    of_input = [] if embedder_of(module) is None else embedder_of(module).parameters()
    for parameter in (*of_input, *module.parameters()):
        if parameter.is_floating_point():
            return parameter.device, parameter.dtype
    return torch.device("cpu"), torch.float32


def channels_of(module: nn.Module, patch_size: int) -> int:
    """How many channels a picture has for the module: those of its first kernels."""
    for part in embedder_of(module).modules():
        if isinstance(part, nn.Conv2d):
            return part.in_channels
        if isinstance(part, nn.Linear):
            return part.in_features // patch_size**2
    return 3


def input_size_of(
    module: nn.Module, name: str, wanted: tuple[int, int] | None, usual: tuple[int, int]
) -> tuple[int, int]:
    """(height, width) of the input. wanted: None is the module's own, or `usual` where it takes any.

    A model that takes any size gets whole patches of it. Raises ModelError where the module does not take the size.
    """
    embed = embedder_of(module)
    own = getattr(embed, "img_size", None)
    own = None if own is None else tuple(int(side) for side in np.broadcast_to(own, 2))
    if wanted is not None and own not in (None, wanted) and not getattr(module, "dynamic_img_size", False):
        raise ModelError(
            f"{name} was built for pictures of {own[0]}x{own[1]} pixels and takes no others; {wanted[0]}x{wanted[1]} "
            f"were asked for. Leave image_size out, or build it for them: timm.create_model(..., img_size={wanted}), "
            f"with its weights loaded after that."
        )
    height, width = wanted or own or usual
    if not getattr(embed, "strict_img_size", False):  # a model that takes any size takes it in whole patches
        down, across = np.broadcast_to(getattr(embed, "patch_size", 1), 2)
        height, width = height // down * down, width // across * across
    return int(height), int(width)


def describe_grid(module: nn.Module, name: str, input_size: tuple[int, int]) -> PatchGrid:
    embed = embedder_of(module)
    if not is_vit(module):
        raise ModelError(
            f"{name} ({type(module).__name__}) is not a plain Vision Transformer: it has no single sequence of "
            f"transformer blocks over image patches. Choose a model of timm's vision_transformer, deit, eva, beit, "
            f"vision_transformer_relpos or naflexvit modules."
        )
    if hasattr(embed, "backbone"):  # a hybrid: the tokens are cells of a convolutional network's feature map
        patch = [side / cells for side, cells in zip(embed.img_size or input_size, embed.grid_size, strict=True)]
    else:
        patch = np.broadcast_to(embed.patch_size, 2).tolist()
    if patch[0] != patch[1] or patch[0] != int(patch[0]):
        raise ModelError(f"{name} cuts the image into {patch[0]}x{patch[1]} patches; only square patches can be shown.")
    size = int(patch[0])
    grid_size = getattr(embed, "grid_size", None)
    if grid_size is None or getattr(module, "dynamic_img_size", False):
        grid_size = tuple(side // size for side in input_size)
    rows, cols = (int(side) for side in grid_size)
    if rows < 1 or cols < 1:
        raise ModelError(f"{name} has patches of {size} pixels; choose an image size of at least {size}x{size}.")
    prefix = int(getattr(module, "num_prefix_tokens", 0))
    return PatchGrid(rows, cols, size, _prefix_names(module, prefix))


def _prefix_names(module: nn.Module, count: int) -> tuple[str, ...]:
    holder = learned_by(module)
    names = []
    if getattr(holder, "cls_token", None) is not None:
        names.append("class")
    if getattr(holder, "dist_token", None) is not None:
        names.append("distillation")
    registers = count - len(names)
    names += [f"register {i + 1}" for i in range(registers)]
    return tuple(names[:count])


def prefix_tokens(module: nn.Module) -> torch.Tensor:
    """[n, D]: the learned class, distillation and register tokens in the sequence's order, float32 on the CPU."""
    holder = learned_by(module)
    tokens = [getattr(holder, name, None) for name in ("cls_token", "dist_token", "reg_token")]
    found = [token.detach()[0].float().cpu() for token in tokens if token is not None]
    return torch.cat(found) if found else torch.zeros(0, module.embed_dim)


def _projection(module: nn.Module, patch_size: int) -> nn.Module | None:
    """The layer that makes a vector of a patch; None where there is more to it than one layer."""
    embed = embedder_of(module)
    proj = getattr(embed, "proj", None)
    weight, channels = getattr(proj, "weight", None), channels_of(module, patch_size)
    if hasattr(embed, "backbone") or weight is None or weight.numel() != len(weight) * patch_size**2 * channels:
        return None
    return proj


def patch_kernels(module: nn.Module, patch_size: int) -> torch.Tensor | None:
    """[dim, patch, patch, channel], float32 on the CPU; None where the patch embedding is not one linear map."""
    proj = _projection(module, patch_size)
    if proj is None:
        return None
    weight = proj.weight.detach().float().cpu()
    if weight.ndim == 4:  # a convolution: [dim, channel, y, x]
        return weight.permute(0, 2, 3, 1)
    if getattr(embedder_of(module), "channels_last", True):
        return weight.reshape(len(weight), patch_size, patch_size, -1)
    return weight.reshape(len(weight), -1, patch_size, patch_size).permute(0, 2, 3, 1)


def kernel(module: nn.Module, patch_size: int) -> Kernel | None:
    """None where the patch embedding is not one linear map of each patch."""
    embed, proj = embedder_of(module), _projection(module, patch_size)
    if proj is None or (isinstance(proj, nn.Conv2d) and proj.stride != proj.kernel_size):
        return None
    if not isinstance(getattr(embed, "norm_input", None), (nn.Identity, type(None))):
        return None
    last = proj.weight.ndim == 2 and getattr(embed, "channels_last", True)
    return Kernel(proj.weight.flatten(1), proj.bias, norm(getattr(embed, "norm", None)), bool(last))


def position_kind(module: nn.Module) -> str:
    """A key of `POSITION_KINDS`, the most telling one where a model has two."""
    if rotary(module) is not None:
        return "rotary"
    if position_parameters(module):
        fixed = any(name == "pos_embed" for name, _ in learned_by(module).named_buffers(recurse=False))
        return "fixed" if fixed else "learned"
    return "relative" if has_relative_bias(module) else "none"


def position_parameters(module: nn.Module) -> dict[str, torch.Tensor]:
    """The tables of what is added to the tokens, by their names in `learned_by`; empty where nothing is added."""
    found = {name: getattr(learned_by(module), name, None) for name in ("pos_embed", "pos_embed_y", "pos_embed_x")}
    return {name: table for name, table in found.items() if table is not None}


def position_table(module: nn.Module, grid: PatchGrid) -> torch.Tensor | None:
    """[T, D]: what is added to each token of the sequence, zeros where nothing is; None where positions are not added.

    None, too, for models whose embedding layer keeps the table and resamples it in a way of its own.
    """
    table = getattr(module, "pos_embed", None)
    if table is None or table.ndim != 3:
        return None
    if getattr(module, "dynamic_img_size", False):
        prefix = 0 if getattr(module, "no_embed_class", False) else module.num_prefix_tokens
        table = resample_abs_pos_embed(
            table, (grid.rows, grid.cols), old_size=module.patch_embed.grid_size, num_prefix_tokens=prefix
        )
    table = table.detach()[0].float().cpu()
    missing = grid.num_tokens - len(table)
    return nn.functional.pad(table, (0, 0, missing, 0)) if missing in (0, grid.num_prefix_tokens) else None


def patch_positions(module: nn.Module, grid: PatchGrid, blank: torch.Tensor) -> torch.Tensor | None:
    """What is added to each patch, float32 [rows, cols, D]; None where nothing is. blank: zeros of the input's size."""
    if not position_parameters(module):
        return None
    if hasattr(module, "embeds"):  # NaFlex resamples its tables in the forward pass, each kind in its way
        without = copy.copy(module.embeds)
        without.pos_embed_type = "none"
        table = module.embeds(blank)[0].float() - without(blank)[0].float()
    elif getattr(module, "dynamic_img_size", False):
        table = position_table(module, grid)[None]
    else:
        table = module.pos_embed.detach().float()
    # Prefix tokens may have rows of their own at the front.
    return table[0, table.shape[1] - grid.rows * grid.cols :].reshape(grid.rows, grid.cols, -1)


def rotary(module: nn.Module) -> nn.Module | None:
    """The module whose `get_embed` gives the angles, [..., token, sin | cos]; None without rotary embedding."""
    return getattr(module, "rope", None)


def has_relative_bias(module: nn.Module) -> bool:
    return any(part in name for name, _ in module.named_parameters() for part in BIAS_NAMES)
