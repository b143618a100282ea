"""What a Vision Transformer is, read off the names and shapes of its weights; and the module that they fill.

Names are timm's. What weights do not tell is said, never guessed in silence: the number of heads (taken from timm's
where the width and depth are a published network's, else asked for), the activation, and the norms' epsilon.
"""

from __future__ import annotations

import math
import re
from functools import partial
from typing import Any

import torch
from timm.layers import GluMlp, LayerNorm, RmsNorm, resample_abs_pos_embed
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from ..errors import ModelError

Shapes = dict[str, tuple[int, ...]]
Grid = tuple[int, ...]
# (width, depth) -> heads, of the networks of these sizes in the ViT paper, DeiT, DINOv2, SigLIP and OpenCLIP.
PUBLISHED = {
    (192, 12): 3,
    (384, 12): 6,
    (512, 12): 8,
    (768, 12): 12,
    (1024, 24): 16,
    (1152, 27): 16,
    (1280, 32): 16,
    (1408, 40): 16,
    (1536, 40): 24,
    (1664, 48): 16,
}
EXAMPLES = {192: "vit_tiny", 384: "vit_small", 768: "vit_base", 1024: "vit_large", 1280: "vit_huge"}
# Keys that speak of another kind of network, and of which.
SUGGESTIONS: tuple[tuple[str, str], ...] = (
    (
        r"(layers|stages)\.\d+\.(blocks|layers|0)\.|merging|patch_merg",
        "a hierarchical network (Swin, ConvNeXt, MViT), whose tokens are merged on the way: it has no one grid of "
        "patches to show. Choose a plain Vision Transformer",
    ),
    (r"(^|\.)layer[1-4]\.0\.conv1", "a ResNet, which has no attention. Choose a Vision Transformer"),
    (r"relative_position|gamma_1$|attn\.q_bias", 'a BEiT: say which, such as arch="beit_base_patch16_224"'),
    (
        r"rope|storage_tokens|attn\.[qkv]_proj|mlp\.fc1_g|inner_attn_ln",
        'an EVA-02 or a DINOv3: say which, such as arch="eva02_base_patch14_224" or arch="vit_small_patch16_dinov3"',
    ),
    (r"resblocks\.\d+", 'a CLIP of OpenAI or open_clip: say which, such as arch="vit_base_patch16_clip_224"'),
    (r"visual\.trunk\.", 'an open_clip tower: say which, such as arch="vit_base_patch16_siglip_224"'),
)
# A tensor under one of these names is part of the pass from the pixels to the last norm.
NETWORK = re.compile(
    r"^(blocks|layers|patch_embed|norm|norm_pre|fc_norm|attn_pool|embeddings|encoder)\.|^pos_embed|^rope"
    r"|^(cls|reg|dist)_token$"
)


class ClassAndMean(VisionTransformer):
    """Its classifier reads the class token beside the mean of the patches, [.., 2·D], as DINOv2's linear probe does."""

    def __init__(self, *, num_classes: int, **options: Any):
        super().__init__(num_classes=0, **options)
        self.num_classes = num_classes
        self.num_features = self.head_hidden_size = 2 * self.embed_dim
        self.head = nn.Linear(2 * self.embed_dim, num_classes)
        self.global_pool = "class token and mean of patches"

    def pool(self, x: torch.Tensor, pool_type: str | None = None) -> torch.Tensor:
        return torch.cat([x[:, 0], x[:, self.num_prefix_tokens :].mean(1)], dim=1)


def shapes_of(state: dict[str, torch.Tensor]) -> Shapes:
    return {key: tuple(value.shape) for key, value in state.items()}


def table_grid(shapes: Shapes, size: tuple[int, int] | None = None) -> tuple[int, int, int] | None:
    """(rows, cols, prefix rows) of the position table; None without one. size: the input's, for what is no square.

    Raises ModelError where neither tells the grid.
    """
    rows = shapes.get("pos_embed", (0,))
    if len(rows) != 3:
        return None
    extra = sum(shapes[name][1] for name in ("cls_token", "dist_token", "reg_token") if len(shapes.get(name, ())) == 3)
    choices = [count for count in dict.fromkeys((extra, min(extra, 1), 0)) if rows[1] > count]
    for prefix in choices:
        side = math.isqrt(rows[1] - prefix)
        if side * side == rows[1] - prefix:
            return side, side, prefix
    patch = shapes.get("patch_embed.proj.weight", (1,))[-1]
    for prefix in choices:
        if size is not None and (size[0] // patch) * (size[1] // patch) == rows[1] - prefix:
            return size[0] // patch, size[1] // patch, prefix
    raise ModelError(
        f"The position table has {rows[1]} rows, {extra} of them for prefix tokens or none: no square grid of patches. "
        f"Say the image size that it was trained at, such as image_size=(224, 320)."
    )


def options_of(shapes: Shapes, size: tuple[int, int] | None = None) -> dict[str, Any]:
    """What timm's VisionTransformer is to be made with, as far as the weights tell; its number of heads only where
    queries are normed. size: height and width, for a position table that is no square.

    Raises ModelError where the weights are not a Vision Transformer's.
    """
    kernel, first = shapes.get("patch_embed.proj.weight"), shapes.get("blocks.0.attn.qkv.weight")
    if kernel is None or len(kernel) != 4 or first is None or "blocks.0.mlp.fc1.weight" not in shapes:
        raise does_not_fit([], shapes)
    dim, has = kernel[0], shapes.__contains__
    depth = 1 + max(int(key.split(".")[1]) for key in shapes if re.match(r"blocks\.\d+\.", key))
    hidden, back = shapes["blocks.0.mlp.fc1.weight"][0], shapes["blocks.0.mlp.fc2.weight"][1]
    grid = table_grid(shapes, size)
    patch = kernel[-1] if kernel[-1] == kernel[-2] else tuple(kernel[-2:])
    pooled = "map" if has("attn_pool.latent") else "avg" if has("fc_norm.weight") or not has("cls_token") else "token"
    head = shapes.get("head.weight", (0, dim))
    options = {
        "embed_dim": dim,
        "depth": depth,
        "patch_size": patch,
        "in_chans": kernel[1],
        "num_classes": head[0] if len(head) == 2 and head[1] == dim else 0,
        "global_pool": pooled,
        "mlp_ratio": hidden / dim if int(dim * (hidden / dim)) == hidden else (hidden + 0.5) / dim,
        "gated": hidden == 2 * back,
        "qkv_bias": has("blocks.0.attn.qkv.bias"),
        "proj_bias": has("blocks.0.attn.proj.bias"),
        "qk_norm": has("blocks.0.attn.q_norm.weight"),
        "scale_attn_norm": has("blocks.0.attn.norm.weight"),
        "scale_mlp_norm": has("blocks.0.mlp.norm.weight"),
        "init_values": 1e-5 if has("blocks.0.ls1.gamma") else None,
        "class_token": has("cls_token"),
        "reg_tokens": shapes["reg_token"][1] if has("reg_token") else 0,
        "pos_embed": "none" if grid is None else "learn",
        "no_embed_class": grid is not None and has("cls_token") and grid[2] == 0,
        "pre_norm": has("norm_pre.weight"),
        "final_norm": has("norm.weight") or has("fc_norm.weight"),
        "fc_norm": has("fc_norm.weight"),
        "rms_norm": not has("blocks.0.norm1.bias"),
        "distilled": has("dist_token"),
    }
    if grid is not None:
        options["img_size"] = (grid[0] * kernel[-2], grid[1] * kernel[-1])
    if options["qk_norm"]:
        options["num_heads"] = dim // shapes["blocks.0.attn.q_norm.weight"][0]
    return options


def heads_of(options: dict[str, Any], said: int | None) -> tuple[int, str]:
    """The number of heads and, where nothing said it, a note on where it is from; ModelError where it is not known."""
    dim, depth = options["embed_dim"], options["depth"]
    heads, note = said or options.get("num_heads") or PUBLISHED.get((dim, depth)), ""
    if not heads:
        named = f', or the architecture by timm\'s name, such as arch="{_example(dim)}"' if dim in EXAMPLES else ""
        raise ModelError(
            f"The weights are a Vision Transformer's of {depth} layers and width {dim}, but how many heads each layer "
            f'has does not show in them. Say it: arch="heads={max(1, dim // 64)}", with the right number{named}.'
        )
    if not said and not options.get("num_heads"):
        note = f"{heads} heads a layer assumed, as published networks of this size have"
    if dim % heads:
        raise ModelError(f"{heads} heads do not divide the width {dim} of these weights. Say another number of heads.")
    return heads, note


def make(options: dict[str, Any], heads: int, activation: str, eps: float, both: bool = False) -> VisionTransformer:
    """The module of `options_of`, its weights not filled. both: its classifier reads class token and mean."""
    chosen = {key: value for key, value in options.items() if key not in ("gated", "rms_norm", "distilled")}
    if options["gated"]:
        gate = "silu" if activation in ("gelu", "silu") else activation
        chosen |= {"mlp_layer": partial(GluMlp, gate_last=False), "act_layer": gate}
    else:
        chosen["act_layer"] = activation
    kind = partial(RmsNorm if options["rms_norm"] else LayerNorm, eps=eps)
    make_it = ClassAndMean if both else VisionTransformerDistilled if options["distilled"] else VisionTransformer
    return make_it(**chosen | {"num_heads": heads, "norm_layer": kind})


def fill(module: nn.Module, state: dict[str, torch.Tensor]) -> list[str]:
    """Load weights into a module of its own, copied as float32; returns the names that have no place outside the
    network. Raises ModelError where the network's do not fit."""
    wanted, given = shapes_of(module.state_dict()), shapes_of(state)
    misfits = [f"{key} is missing" for key in wanted if key not in given]
    misfits += [
        f"{key} is {list(given[key])} instead of {list(wanted[key])}"
        for key in wanted
        if key in given and given[key] != wanted[key]
    ]
    spare = [key for key in given if key not in wanted]
    misfits += [f"{key} has no place" for key in spare if NETWORK.match(key)]
    if misfits:
        raise does_not_fit(misfits, given)
    own = {key: state[key].detach().to(torch.float32, copy=True).contiguous() for key in wanted}
    module.load_state_dict(own, assign=True)
    return spare


def resampled(table: torch.Tensor, old: Grid, new: Grid, prefix: int, *, antialias: bool = True) -> torch.Tensor:
    """A position table [1, token, D] for another grid, bicubically, as timm resamples it."""
    return resample_abs_pos_embed(
        table.float(), list(new), old_size=list(old), num_prefix_tokens=prefix, antialias=antialias
    )


def does_not_fit(misfits: list[str], keys: Any, arch: str | None = None) -> ModelError:
    """The first three keys that do not fit, what they suggest, and how to say it."""
    what = f"the architecture {arch}" if arch else "a Vision Transformer whose architecture shows in its weights"
    names = misfits[:3] or [str(key) for key in list(keys)[:3]]
    told = f"{'; '.join(names)}" + (f"; and {len(misfits) - 3} more" if len(misfits) > 3 else "")
    kind = next((text for pattern, text in SUGGESTIONS if any(re.search(pattern, key) for key in keys)), None)
    if kind is None and "pos_embed" not in keys and "blocks.0.attn.qkv.weight" in keys:
        kind = (
            "positions that do not show in the weights, rotary ones as in DINOv3 or EVA-02: say which architecture it "
            'is, such as arch="vit_small_patch16_dinov3"'
        )
    if kind is None:
        kernel = dict(keys).get("patch_embed.proj.weight") if isinstance(keys, dict) else None
        shape = f" of width {kernel[0]} with patches of {kernel[-1]} pixels" if kernel and len(kernel) == 4 else ""
        example = _example(kernel[0] if kernel else 768)
        kind = f'{"another Vision Transformer" if arch else "a network"}{shape}: say which, such as arch="{example}"'
    return ModelError(f"The weights do not fit {what}: {told}. They suggest {kind}.")


def _example(dim: int) -> str:
    return f"{EXAMPLES.get(dim, 'vit_base')}_patch{14 if dim == 1280 else 16}_224"
