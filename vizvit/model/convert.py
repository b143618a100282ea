"""Other libraries' names for a Vision Transformer's weights, each in timm's: one table a library.

A layout is known by the name of its patch kernel. What stands before that name in a file (`module.`, `model.`,
`backbone.`, `vit.`) is its prefix.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import torch

State = dict[str, torch.Tensor]
Rules = tuple[tuple[str, str], ...]

# The weights of a classifier may stand beside the network instead of in it, by one of these names.
BESIDE = ("classifier", "cls_classifier", "distillation_classifier", "visual_projection", "fc")


@dataclass(frozen=True)
class Layout:
    """How one library names the weights.

    anchor: its patch kernel; witness: what else must be among its keys, a pattern. rules: their names to timm's; None
    for what has no part in a forward pass. activation and eps: what the library takes where nothing says.
    """

    name: str
    anchor: str
    witness: str
    rules: Rules = ()
    activation: str = "gelu"
    eps: float = 1e-6
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)


_HALF = (0.5, 0.5, 0.5)
_CLIP: dict[str, Any] = {"mean": (0.48145466, 0.4578275, 0.40821073), "std": (0.26862954, 0.26130258, 0.27577711)}
_FRONT = r"^embeddings\."
_QKV = (
    (r"attention\.(?:attention\.)?(q)(?:uery|_proj)\.", r"attn.\1."),
    (r"attention\.(?:attention\.)?(k)(?:ey|_proj)\.", r"attn.\1."),
    (r"attention\.(?:attention\.)?(v)(?:alue|_proj)\.", r"attn.\1."),
    (r"attention\.(?:output\.dense|o_proj)\.", "attn.proj."),
)
_GOOGLE: Rules = (  # transformers' vit, deit, dinov2: the same names, of two generations of the library
    (_FRONT + r"cls_token$", "cls_token"),
    (_FRONT + r"distillation_token$", "dist_token"),
    (_FRONT + r"register_tokens$", "register_tokens"),
    (_FRONT + r"position_embeddings$", "pos_embed"),
    (_FRONT + r"patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^(?:encoder\.)?layers?\.(\d+)\.", r"blocks.\1."),
    *_QKV,
    (r"layernorm_before\.", "norm1."),
    (r"layernorm_after\.", "norm2."),
    (r"^(blocks\.\d+\.)intermediate\.dense\.", r"\1mlp.fc1."),
    (r"^(blocks\.\d+\.)output\.dense\.", r"\1mlp.fc2."),
    (r"mlp\.(?:weights_in)\.", "mlp.fc1."),
    (r"mlp\.(?:weights_out|down_proj)\.", "mlp.fc2."),
    (r"layer_scale(\d)\.lambda1$", r"ls\1.gamma"),
    (r"^layernorm\.", "norm."),
    (r"^(?:cls_)?classifier\.", "head."),
    (r"^distillation_classifier\.", "head_dist."),
)
_OPENAI_LIKE: Rules = (  # transformers' clip and siglip
    (_FRONT + r"class_embedding$", "cls_token"),
    (_FRONT + r"position_embedding\.weight$", "pos_embed"),
    (_FRONT + r"patch_embedding\.", "patch_embed.proj."),
    (r"^encoder\.layers\.(\d+)\.", r"blocks.\1."),
    (r"^(blocks\.\d+\.)self_attn\.([qkv])_proj\.", r"\1attn.\2."),
    (r"^(blocks\.\d+\.)self_attn\.out_proj\.", r"\1attn.proj."),
    (r"^(blocks\.\d+\.)layer_norm(\d)\.", r"\1norm\2."),
    (r"^pre_layr?norm\.", "norm_pre."),
    (r"^post_layernorm\.", "norm."),
    (r"^head\.probe$", "attn_pool.latent"),
    (r"^head\.attention\.in_proj_", "attn_pool.in_proj."),
    (r"^head\.attention\.out_proj\.", "attn_pool.proj."),
    (r"^head\.layernorm\.", "attn_pool.norm."),
    (r"^head\.mlp\.", "attn_pool.mlp."),
    (r"^visual_projection\.", "head."),
)
_TORCHVISION: Rules = (
    (r"^class_token$", "cls_token"),
    (r"^conv_proj\.", "patch_embed.proj."),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
    (r"ln_([12])\.", r"norm\1."),
    (r"self_attention\.in_proj_", "attn.qkv."),
    (r"self_attention\.out_proj\.", "attn.proj."),
    (r"mlp\.(?:0|linear_1)\.", "mlp.fc1."),
    (r"mlp\.(?:3|linear_2)\.", "mlp.fc2."),
    (r"^encoder\.ln\.", "norm."),
    (r"^heads\.head\.", "head."),
)
_OPENAI: Rules = (
    (r"^class_embedding$", "cls_token"),
    (r"^positional_embedding$", "pos_embed"),
    (r"^conv1\.", "patch_embed.proj."),
    (r"^ln_pre\.", "norm_pre."),
    (r"^ln_post\.", "norm."),
    (r"^transformer\.resblocks\.(\d+)\.", r"blocks.\1."),
    (r"attn\.in_proj_", "attn.qkv."),
    (r"attn\.out_proj\.", "attn.proj."),
    (r"ln_([12])\.", r"norm\1."),
    (r"mlp\.c_fc\.", "mlp.fc1."),
    (r"mlp\.c_proj\.", "mlp.fc2."),
)
_TIMM: Rules = (
    (r"mlp\.w12\.", "mlp.fc1."),  # DINOv2 as its authors keep it
    (r"mlp\.w3\.", "mlp.fc2."),
    (r"^(blocks\.\d+\.)gamma_([12])$", r"\1ls\2.gamma"),  # DeiT III as its authors keep it
    (r"^(?:classifier|fc)\.(weight|bias)$", r"head.\1"),
)

TIMM = Layout("timm", "patch_embed.proj.weight", r"^blocks\.0\.", _TIMM)
LAYOUTS = (
    TIMM,
    Layout("torchvision", "conv_proj.weight", r"encoder_layer_0\.", _TORCHVISION, interpolation="bilinear"),
    Layout(
        "OpenAI's CLIP",
        "conv1.weight",
        r"^transformer\.resblocks\.0\.ln_1",
        _OPENAI,
        activation="quick_gelu",
        eps=1e-5,
        **_CLIP,
    ),
    Layout(
        "transformers' Dinov2",
        "embeddings.patch_embeddings.projection.weight",
        r"layer_scale1",
        _GOOGLE,
    ),
    Layout(
        "transformers' DeiT",
        "embeddings.patch_embeddings.projection.weight",
        r"distillation_token",
        _GOOGLE,
        eps=1e-12,
    ),
    Layout(
        "transformers' ViT",
        "embeddings.patch_embeddings.projection.weight",
        r"layers?\.0\.layernorm_before",
        _GOOGLE,
        eps=1e-12,
        interpolation="bilinear",
        mean=_HALF,
        std=_HALF,
    ),
    Layout(
        "transformers' CLIP",
        "embeddings.patch_embedding.weight",
        r"class_embedding",
        _OPENAI_LIKE,
        activation="quick_gelu",
        eps=1e-5,
        **_CLIP,
    ),
    Layout(
        "transformers' SigLIP",
        "embeddings.patch_embedding.weight",
        r"layers\.0\.layer_norm1",
        _OPENAI_LIKE,
        activation="gelu_tanh",
        mean=_HALF,
        std=_HALF,
    ),
)
BY_MODEL_TYPE = {
    "vit": "transformers' ViT",
    "deit": "transformers' DeiT",
    "dinov2": "transformers' Dinov2",
    "dinov2_with_registers": "transformers' Dinov2",
    "clip_vision_model": "transformers' CLIP",
    "clip": "transformers' CLIP",
    "siglip_vision_model": "transformers' SigLIP",
    "siglip": "transformers' SigLIP",
}
# What has no part in a forward pass from a picture: said nothing about.
IDLE = re.compile(
    r"(^|\.)(mask_token|position_ids|pooler\.dense\.|text_model\.|text_projection\.|logit_scale|logit_bias|decoder_"
    r"|num_batches_tracked|n_averaged)"
)


@dataclass(frozen=True)
class Converted:
    """A network's weights by timm's names.

    layout: whose names they had; prefix: what stood before each. beside: what else was there, by its own name.
    """

    state: State
    layout: Layout
    prefix: str
    beside: tuple[str, ...] = field(default=())


def layouts_in(keys: list[str]) -> list[tuple[Layout, str]]:
    """The layouts and prefixes under which whole networks are among the keys, the shortest prefix first."""
    found: dict[str, Layout] = {}
    for layout in LAYOUTS:
        for key in keys:
            prefix = key.removesuffix(layout.anchor)
            if not key.endswith(layout.anchor) or prefix in found or not (prefix == "" or prefix.endswith(".")):
                continue
            own = [other.removeprefix(prefix) for other in keys if other.startswith(prefix)]
            if any(re.search(layout.witness, other) for other in own):
                found[prefix] = layout
    return [(layout, prefix) for prefix, layout in sorted(found.items(), key=lambda item: len(item[0]))]


def converted(state: State, layout: Layout, prefix: str) -> Converted:
    """The network under a prefix by timm's names; nothing is copied but what is joined (queries, keys and values)."""
    above = prefix.removesuffix(".").rpartition(".")[0]
    above = f"{above}." if above else ""
    inside = {key: key.removeprefix(prefix) for key in state if key.startswith(prefix)}
    for name in BESIDE:
        weight = f"{above}{name}.weight"
        if weight in state and weight not in inside and state[weight].ndim == 2:
            inside |= {key: key.removeprefix(above) for key in (weight, f"{above}{name}.bias") if key in state}
    named: State = {}
    for key, own in inside.items():
        if IDLE.search(own) and not own.startswith("blocks."):
            continue
        for pattern, replacement in layout.rules:
            own = re.sub(pattern, replacement, own)
        named[own] = state[key]
    left = tuple(key for key in state if key not in inside and not IDLE.search(key))
    return Converted(_shaped(_joined(named)), layout, prefix, left)


def _joined(state: State) -> State:
    """Queries, keys and values as one matrix; so the two halves of a gated MLP."""
    joined = dict(state)
    for key in state:
        for parts, whole in ((("attn.q.", "attn.k.", "attn.v."), "attn.qkv."), _GATED):
            if parts[0] not in key:
                continue
            names = [key.replace(parts[0], part) for part in parts]
            if all(name in state for name in names):
                joined[key.replace(parts[0], whole)] = torch.cat([joined.pop(name) for name in names])
    for kind in ("weight", "bias"):
        both = joined.pop(f"attn_pool.in_proj.{kind}", None)
        if both is not None:
            query, *rest = both.chunk(3)
            joined |= {f"attn_pool.q.{kind}": query, f"attn_pool.kv.{kind}": torch.cat(rest)}
    return joined


_GATED = (("mlp.gate_proj.", "mlp.up_proj."), "mlp.fc1.")


def _shaped(state: State) -> State:
    """Tables and tokens with a batch axis, [1, token, D]; registers of DINOv2 as timm keeps them."""
    for key in ("cls_token", "pos_embed"):
        table = state.get(key)
        if table is not None and table.ndim < 3:
            state[key] = table.reshape(1, -1, table.shape[-1])
    if "proj" in state:  # OpenAI's multiplies with it from the other side
        state["head.weight"] = state.pop("proj").T
    if "head.weight" in state and "head.bias" not in state:  # a projection; timm's classifier has a bias
        state["head.bias"] = state["head.weight"].new_zeros(len(state["head.weight"]))
    registers = state.pop("register_tokens", None)
    if registers is not None:
        state["reg_token"], table = registers, state.get("pos_embed")
        # The class token has a row of the table, registers have none.
        if table is not None and "cls_token" in state and math.isqrt(table.shape[1] - 1) ** 2 == table.shape[1] - 1:
            state["cls_token"] = state["cls_token"] + table[:, :1]
            state["pos_embed"] = table[:, 1:]
    return state
