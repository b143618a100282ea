"""What timm's families call their parts: the one place that knows, so that a new family is an entry here.

First a model's structure (architecture, patch embedding, grid, prefix tokens), then its weights by their part in the
paper. None stands for a part that a model does not have, or that is not made as the paper has it.
"""

from __future__ import annotations

import numpy as np
import timm
import torch
from timm.layers import resample_abs_pos_embed
from torch import nn

from ..errors import ModelError
from ..grid import PatchGrid
from .parts import Attention, Block, Head, Kernel, Linear, Mlp, Norm, Pool

ACTIVATIONS = {
    "gelu": "GELU",
    "gelu_tanh": "GELU (tanh)",
    "quick_gelu": "QuickGELU",
    "silu": "SiLU",
    "relu": "ReLU",
}


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


def linear(module: nn.Module | None) -> Linear | None:
    weight = getattr(module, "weight", None)
    return Linear(weight, module.bias) if isinstance(module, nn.Linear) and weight is not None else None


def norm(module: nn.Module | None) -> Norm | None:
    if module is None or isinstance(module, nn.Identity):
        return None
    name = type(module).__name__
    kind = "LayerNorm" if isinstance(module, nn.LayerNorm) else "RMSNorm" if name.lower().startswith("rms") else name
    eps = getattr(module, "eps", None)
    eps = torch.finfo(torch.float32).eps if eps is None else eps
    return Norm(kind, getattr(module, "weight", None), getattr(module, "bias", None), float(eps))


def scale(block: nn.Module, number: int) -> torch.Tensor | None:
    """Layer scale [D], as a module `ls1` or as a parameter `gamma_1`; None where there is none."""
    gamma = getattr(getattr(block, f"ls{number}", None), "gamma", None)
    return getattr(block, f"gamma_{number}", None) if gamma is None else gamma


def attention(module: nn.Module) -> Attention | None:
    """None for attention that is not made of linear queries, keys, values and output."""
    query, key, value = _query_key_value(module)
    output = linear(getattr(module, "proj", None))
    if query is None or key is None or value is None or output is None:
        return None
    return Attention(
        heads=module.num_heads,
        query=query,
        key=key,
        value=value,
        query_norm=norm(getattr(module, "q_norm", None)),
        key_norm=norm(getattr(module, "k_norm", None)),
        inner_norm=norm(getattr(module, "norm", None)),
        gate=linear(getattr(module, "gate", None)),
        output=output,
        rotate_half=bool(getattr(module, "rotate_half", False)),
    )


def _query_key_value(module: nn.Module) -> tuple[Linear | None, Linear | None, Linear | None]:
    together = linear(getattr(module, "qkv", None))
    if together is None:
        return tuple(linear(getattr(module, f"{name}_proj", None)) for name in "qkv")
    weights = together.weight.chunk(3)
    if together.bias is not None:
        biases = together.bias.chunk(3)
    else:  # some models keep them apart, so that the keys may have none
        biases = [getattr(module, f"{name}_bias", None) for name in "qkv"]
    return tuple(Linear(weight, bias) for weight, bias in zip(weights, biases, strict=True))


def mlp(module: nn.Module | None) -> Mlp | None:
    """None for anything but two linear layers with an activation between them, gated or not."""
    second, act = linear(getattr(module, "fc2", None)), getattr(module, "act", None)
    first, gate = linear(getattr(module, "fc1", None)), None
    if first is None:  # gate and value as two layers
        first, gate = linear(getattr(module, "fc1_g", None)), linear(getattr(module, "fc1_x", None))
    elif hasattr(module, "gate_last"):  # both in one layer
        weights = first.weight.chunk(2)
        biases = (None, None) if first.bias is None else first.bias.chunk(2)
        halves = [Linear(weight, bias) for weight, bias in zip(weights, biases, strict=True)]
        first, gate = reversed(halves) if module.gate_last else halves
    if first is None or second is None:
        return None
    kind = _activation(act)
    name = ACTIVATIONS.get(kind, type(act).__name__)
    if gate is not None:
        name = {"silu": "SwiGLU", "gelu": "GEGLU"}.get(kind, f"{name}-GLU")
    return Mlp(first, gate, kind, name, norm(getattr(module, "norm", None)), second)


def _activation(module: nn.Module | None) -> str | None:
    name = type(module).__name__.lower()
    if name == "gelu":
        return "gelu_tanh" if getattr(module, "approximate", "none") == "tanh" else "gelu"
    known = {"gelutanh": "gelu_tanh", "quickgelu": "quick_gelu", "silu": "silu", "swish": "silu", "relu": "relu"}
    return known.get(name)


def block(module: nn.Module) -> Block | None:
    """None for a block that is not norm1, attention, norm2 and MLP one after the other."""
    parts = [getattr(module, name, None) for name in ("norm1", "attn", "norm2", "mlp")]
    if any(part is None for part in parts):
        return None
    heads, inner = attention(parts[1]), mlp(parts[3])
    if heads is None or inner is None:
        return None
    return Block(norm(parts[0]), heads, scale(module, 1), norm(parts[2]), inner, scale(module, 2))


def kernel(module: nn.Module, patch_size: int) -> Kernel | None:
    """None where the patch embedding is not one linear map of each patch."""
    embed = getattr(module, "patch_embed", None) or getattr(module, "embeds", None)
    proj = getattr(embed, "proj", None)
    weight = getattr(proj, "weight", None)
    if hasattr(embed, "backbone") or weight is None or weight.numel() != weight.shape[0] * patch_size**2 * 3:
        return None
    if isinstance(proj, nn.Conv2d) and proj.stride != proj.kernel_size:
        return None
    if not isinstance(getattr(embed, "norm_input", None), (nn.Identity, type(None))):
        return None
    last = weight.ndim == 2 and getattr(embed, "channels_last", True)
    return Kernel(weight.flatten(1), proj.bias, norm(getattr(embed, "norm", None)), bool(last))


def head(module: nn.Module) -> Head:
    names = {"token": "class token", "avg": "mean of patches", "map": "pooling head"}
    pool_module = getattr(module, "attn_pool", None)
    kind = str(getattr(module, "global_pool", "") or "")
    pooling = names.get(kind, kind) if pool_module is None else names["map"]
    distilled = linear(getattr(module, "head_dist", None))
    if distilled is not None:
        pooling = "class and distillation tokens"
    # Only some code can leave prefix tokens out of an attention pool; where it cannot, the pool reads them.
    with_prefix = bool(getattr(module, "pool_include_prefix", pool_module is not None))
    return Head(
        norm=norm(getattr(module, "norm", None)),
        pooling=pooling,
        with_prefix=with_prefix,
        pool=pool(pool_module),
        fc_norm=norm(getattr(module, "fc_norm", None)),
        linear=linear(getattr(module, "head", None)),
        distilled=distilled,
    )


def pool(module: nn.Module | None) -> Pool | None:
    """None for pooling that is not attention from one learned query."""
    latent, both = getattr(module, "latent", None), linear(getattr(module, "kv", None))
    if latent is None or latent.shape[1] != 1 or both is None or getattr(module, "pos_embed", None) is not None:
        return None
    biases = (None, None) if both.bias is None else both.bias.chunk(2)
    key, value = (Linear(weight, bias) for weight, bias in zip(both.weight.chunk(2), biases, strict=True))
    return Pool(
        heads=module.num_heads,
        latent=latent[0],
        query=linear(module.q),
        key=key,
        value=value,
        query_norm=norm(module.q_norm),
        key_norm=norm(module.k_norm),
        output=linear(module.proj),
        norm=norm(module.norm),
        mlp=mlp(module.mlp),
    )


def prefix_tokens(module: nn.Module) -> torch.Tensor:
    """[n, D]: the learned class, distillation and register tokens in the sequence's order, float32 on the CPU."""
    holder = getattr(module, "embeds", module)
    tokens = [getattr(holder, name, None) for name in ("cls_token", "dist_token", "reg_token")]
    found = [token.detach()[0].float().cpu() for token in tokens if token is not None]
    return torch.cat(found) if found else torch.zeros(0, module.embed_dim)


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
