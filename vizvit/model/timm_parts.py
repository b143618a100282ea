"""What timm's families call the parts of their blocks and of what stands after them, and the weights of each.

With `timm_embedding`, the one place that knows: a family with names of its own is an entry in these two files. None
stands for a part that a model does not have, or that is not made as the paper has it.
"""

from __future__ import annotations

import timm
import torch
from torch import nn

from .parts import Attention, Block, Head, Linear, Mlp, Norm, Pool

ACTIVATIONS = {
    "gelu": "GELU",
    "gelu_tanh": "GELU (tanh)",
    "quick_gelu": "QuickGELU",
    "silu": "SiLU",
    "relu": "ReLU",
}
# What a checkpoint's own classifier may be called.
CLASSIFIER_WEIGHTS = ("head.weight", "head.fc.weight", "fc.weight", "classifier.weight")


def architecture_of(module: nn.Module) -> str:
    config = getattr(module, "pretrained_cfg", None) or {}
    return config.get("architecture") or type(module).__name__


def is_embedding(module: nn.Module, outputs: int) -> bool:
    """Whether its outputs are a place in a joint space with text, not classes."""
    # Contrastive image towers end in a projection to the joint space with text; timm calls its width num_classes.
    config = getattr(module, "pretrained_cfg", None) or {}
    name, tag = config.get("architecture") or "", config.get("tag") or ""
    contrastive = any(word in name for word in ("clip", "siglip", "_pe_core"))
    if not (contrastive and tag) or "in1k" in tag or "in12k" in tag or config.get("label_names"):
        return False
    original = timm.models.get_pretrained_cfg(f"{name}.{tag}")
    return original is None or original.num_classes == outputs


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
        query, key, value = (linear(getattr(module, f"{name}_proj", None)) for name in "qkv")
        return query, key, value
    weights = together.weight.chunk(3)
    if together.bias is not None:
        biases = together.bias.chunk(3)
    else:  # some models keep them apart, so that the keys may have none
        biases = [getattr(module, f"{name}_bias", None) for name in "qkv"]
    query, key, value = (Linear(weight, bias) for weight, bias in zip(weights, biases, strict=True))
    return query, key, value


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


def is_parallel(module: nn.Module) -> bool:
    """Whether attention and MLP of a block read the same input side by side, as in ViT-22B."""
    fused = isinstance(getattr(module, "in_proj", None), nn.Linear) and hasattr(module, "mlp_act")
    return fused or (hasattr(module, "attns") and hasattr(module, "ffns"))


def read_out(module: nn.Module) -> str:
    """What the prediction is read from: "class token", "class and distillation tokens", "mean of patches", "pooling
    head", the pooling's own name, or "unknown"."""
    if linear(getattr(module, "head_dist", None)) is not None:
        return "class and distillation tokens"
    if getattr(module, "attn_pool", None) is not None:
        return "pooling head"
    kind = str(getattr(module, "global_pool", "") or "unknown")
    return {"token": "class token", "avg": "mean of patches", "map": "pooling head"}.get(kind, kind)


def head(module: nn.Module) -> Head:
    pool_module = getattr(module, "attn_pool", None)
    # Only some code can leave prefix tokens out of an attention pool; where it cannot, the pool reads them.
    with_prefix = bool(getattr(module, "pool_include_prefix", pool_module is not None))
    return Head(
        norm=norm(getattr(module, "norm", None)),
        pooling=read_out(module),
        with_prefix=with_prefix,
        pool=pool(pool_module),
        fc_norm=norm(getattr(module, "fc_norm", None)),
        linear=linear(getattr(module, "head", None)),
        distilled=linear(getattr(module, "head_dist", None)),
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


def num_heads(module: nn.Module) -> int:
    return next(part.num_heads for part in module.blocks.modules() if hasattr(part, "num_heads"))


def first_norm(block: nn.Module) -> nn.Module | None:
    """Ahead of the attention, or behind it in models that norm what a branch adds."""
    return getattr(block, "norm1", None) or getattr(block, "in_norm", None)


def output_projection(block: nn.Module) -> tuple[nn.Linear, int] | None:
    """W^O and how many of its columns, from the left, belong to the heads."""
    for out in (getattr(getattr(block, "attn", None), "proj", None), getattr(block, "attn_out_proj", None)):
        if isinstance(out, nn.Linear):
            return out, out.in_features
    out = getattr(block, "out_proj", None)  # attention and MLP beside each other, projected together
    if isinstance(out, nn.Linear) and hasattr(block, "head_dim"):
        return out, block.num_heads * block.head_dim
    return None


def after_blocks(module: nn.Module) -> tuple[list[nn.Module], list[nn.Module]]:
    """(the classifiers, what stands between the last block and them)."""
    names = (("head", "head_dist"), ("fc_norm", "attn_pool", "norm"))
    heads, between = ([getattr(module, name, None) for name in some] for some in names)
    return [part for part in heads if part is not None], [part for part in between if part is not None]


Steps = dict[str, nn.Module | None]


def ends_of(module: nn.Module) -> tuple[Steps, Steps]:
    """(whose input, whose output) each step around the blocks is, by the steps' names in `forward.anatomy`."""
    last = getattr(module, "norm", None)
    inputs = {"z0": "norm_pre", "pooled": "fc_norm", "features": "head", "distilled": "head_dist"}
    return {step: getattr(module, name, None) for step, name in inputs.items()}, {"normed": last}


def steps_of(block: nn.Module) -> tuple[Steps, Steps]:
    """(whose input, whose output) each step inside a block is, by the steps' names in `forward.anatomy`."""
    norm1, attn, norm2, mlp = (getattr(block, name, None) for name in ("norm1", "attn", "norm2", "mlp"))
    act = getattr(mlp, "act", None)
    entering, hidden = getattr(attn, "proj", None), getattr(mlp, "fc2", None)
    inputs = {"entering": entering, "after_attention": norm2, "act_in": act, "hidden": hidden}
    outputs = {"norm1": norm1, "attended": attn, "norm2": norm2, "act_out": act, "mlp_out": mlp}
    first, gate = getattr(mlp, "fc1", None), getattr(mlp, "fc1_x", None)
    return inputs, outputs | {"first": first, "gate": gate}


def fuse_attention(module: nn.Module) -> None:
    """Let every attention go through torch's fused call, off which captures are read."""
    for part in module.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = True
