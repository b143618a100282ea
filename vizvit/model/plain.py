"""A plain Vision Transformer as a description and arrays: all that another program needs to run it.

What is written down is run here, too, beside the model itself: a model that it does not describe is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import PIL
import torch
from timm.data.transforms import ResizeKeepRatio
from torch import nn
from torch.nn import functional as F
from torchvision import transforms

from ..errors import ModelError
from . import timm_embedding, timm_parts
from .parts import Attention, Block, Linear, Norm

if TYPE_CHECKING:
    from .vit import VitModel

ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "silu": F.silu,
    "relu": F.relu,
}
POOLING = {"class token": "class", "class and distillation tokens": "class", "mean of patches": "mean"}
FILTERS = ("bilinear", "bicubic", "lanczos")
# Pillow's order of passes changed in version 13, and with it what is rounded between them.
TALL_FIRST = int(PIL.__version__.partition(".")[0]) >= 13
WHOLE = 8  # dimensions of a head come in multiples of this
NEAR = 1e-4  # of the greatest output: how far the description's outputs may be from the model's


@dataclass(frozen=True, eq=False)
class Plain:
    """model: plain values, for JSON: see `plain`. tensors: name -> float32 array, the parameters in float32."""

    model: dict
    tensors: dict[str, np.ndarray]

    @property
    def num_parameters(self) -> int:
        return sum(values.size for values in self.tensors.values())


@torch.no_grad()
def plain(vit: VitModel) -> Plain:
    """The model as timm's plain VisionTransformer has it: what the forward pass of explorer/js/forward/vit.js reads.

    tensors: "patch", "blocks.N.qkv", ".output", ".first", ".second", "head" and "head_dist" are linear maps with
    ".weight" [out, in] and ".bias" [out] where there is one; "norm_pre", "blocks.N.norm1", ".norm2", ".q_norm",
    ".k_norm", "norm" and "fc_norm" are layer norms in the same way; "blocks.N.scale1" and ".scale2" [dim] are layer
    scale; "position" [token, dim] is added to the sequence, in which "prefix" [n, dim], where a model has such tokens,
    stands before the patches.
    Raises ModelError, with the reason, for every model that this does not describe.
    """
    try:
        module, found = vit.module, _Description(vit)
        model, tensors = found.whole()
    except _NotPlain as reason:
        raise ModelError(
            f"{vit.name} cannot run in a page: {reason}. What can is a Vision Transformer as timm's VisionTransformer "
            f"makes it, with class, distillation or register tokens, learned positions, LayerNorm and an MLP."
        ) from None
    pixels = torch.rand(2, 3, *vit.input_size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    device, dtype = timm_embedding.place_of(module)
    run = module if model["classes"] else module.forward_features
    own = run(pixels.to(device=device, dtype=dtype)).float().cpu()
    if not bool(own.isfinite().all()):
        raise ModelError(f"{vit.name} gives NaN or infinity: check its weights and its precision.")
    ours = _outputs(model, {name: torch.from_numpy(values) for name, values in tensors.items()}, pixels)
    if own.shape != ours.shape or float((own - ours).abs().max()) > NEAR * max(1.0, float(own.abs().max())):
        raise ModelError(
            f"{vit.name} cannot run in a page: its forward pass has more in it than its parts show; a page that leaves "
            f"it out would give other outputs. Use the app for this model."
        )
    return Plain(model, tensors)


class _NotPlain(Exception):
    """What about a model has no place in the description."""


class _Description:
    def __init__(self, vit: VitModel):
        self.vit, self.module, self.tensors = vit, vit.module, dict[str, torch.Tensor]()
        self.norms: list[str] = []
        self.eps: dict[str, float] = {}

    def whole(self) -> tuple[dict, dict[str, np.ndarray]]:
        vit, module, grid = self.vit, self.module, self.vit.grid
        if vit.channels != 3:
            raise _NotPlain(f"it reads {vit.channels} channels, and pictures have three")
        if timm_embedding.rotary(module) is not None or timm_embedding.has_relative_bias(module):
            raise _NotPlain(f"it has {vit.position_kind} positions")
        kernel = timm_embedding.kernel(module, grid.patch_size)
        table = timm_embedding.position_table(module, grid)
        if kernel is None or kernel.norm is not None or kernel.channels_last or table is None:
            raise _NotPlain("its patch embedding is not one linear map of each patch with positions added to it")
        self._linear("patch", Linear(kernel.weight, kernel.bias))
        prefix = timm_embedding.prefix_tokens(module)
        if len(prefix) != grid.num_prefix_tokens:
            raise _NotPlain("it has prefix tokens that are not learned")
        self.tensors["position"] = table
        if len(prefix):
            self.tensors["prefix"] = prefix
        self._norm("norm_pre", _entrance(module))
        blocks = [timm_parts.block(block) for block in module.blocks]
        shapes = {self._block(f"blocks.{number}", block) for number, block in enumerate(blocks)}
        if len(shapes) != 1:
            raise _NotPlain("its blocks differ in heads, width or activation")
        (heads, size, hidden, activation), (pooling, with_prefix) = shapes.pop(), self._head()
        model = {
            "tokens": grid.num_tokens,
            "prefix": grid.num_prefix_tokens,
            "prefix_names": list(grid.prefix_names),
            "rows": grid.rows,
            "cols": grid.cols,
            "patch_size": grid.patch_size,
            "dim": int(table.shape[1]),
            "heads": heads,
            "head_dim": size,
            "scale": size**-0.5,
            "layers": len(blocks),
            "hidden": hidden,
            "activation": activation,
            "pooling": pooling,
            "pool_prefix": with_prefix,
            "classes": len(vit.labels),
            "norms": self.norms,
            "eps": self.eps,
            "mean": list(vit.mean),
            "std": list(vit.std),
            "resize": _resizing(vit),
        }
        return model, {
            name: np.ascontiguousarray(value.detach().float().cpu().numpy()) for name, value in self.tensors.items()
        }

    def _block(self, name: str, block: Block | None) -> tuple[int, int, int, str]:
        if block is None or block.norm1 is None or block.norm2 is None:
            raise _NotPlain("its blocks are not norm, attention, norm and MLP one after the other")
        attention, mlp = block.attention, block.mlp
        size = self._attention(name, attention)
        if mlp.gate is not None or mlp.inner_norm is not None or mlp.activation not in ACTIVATIONS:
            raise _NotPlain(f"the MLP of its blocks is no plain one ({mlp.name})")
        self._linear(f"{name}.first", mlp.first)
        self._linear(f"{name}.second", mlp.second)
        for part, norm in (("norm1", block.norm1), ("norm2", block.norm2)):
            self._norm(f"{name}.{part}", norm)
        for number, scale in ((1, block.scale1), (2, block.scale2)):
            if scale is not None:
                self.tensors[f"{name}.scale{number}"] = scale
        return attention.heads, size, len(mlp.first.weight), mlp.activation

    def _attention(self, name: str, attention: Attention) -> int:
        parts = (attention.query, attention.key, attention.value)
        if attention.gate is not None or attention.inner_norm is not None or len({len(p.weight) for p in parts}) > 1:
            raise _NotPlain("its attention has gates, a norm of its own, or fewer keys than queries")
        width = len(attention.query.weight)
        size = width // attention.heads
        if size % WHOLE:
            raise _NotPlain(f"its heads have {size} dimensions, which is no multiple of {WHOLE}")
        self.tensors[f"{name}.qkv.weight"] = torch.cat([part.weight for part in parts])
        if any(part.bias is not None for part in parts):
            biases = [torch.zeros_like(part.weight[:, 0]) if part.bias is None else part.bias for part in parts]
            self.tensors[f"{name}.qkv.bias"] = torch.cat(biases)
        self._norm(f"{name}.q_norm", attention.query_norm)
        self._norm(f"{name}.k_norm", attention.key_norm)
        self._linear(f"{name}.output", attention.output)
        return size

    def _head(self) -> tuple[str, bool]:
        head = timm_parts.head(self.module)
        self._norm("norm", head.norm)
        if not self.vit.labels:
            return "class", False
        if head.pooling not in POOLING or head.linear is None:
            raise _NotPlain(f"its prediction is read from: {head.pooling}")
        self._norm("fc_norm", head.fc_norm)
        self._linear("head", head.linear)
        if head.distilled is not None:
            self._linear("head_dist", head.distilled)
        return POOLING[head.pooling], head.with_prefix

    def _linear(self, name: str, linear: Linear) -> None:
        self.tensors[f"{name}.weight"] = linear.weight
        if linear.bias is not None:
            self.tensors[f"{name}.bias"] = linear.bias

    def _norm(self, name: str, norm: Norm | None) -> None:
        if norm is None:
            return
        if norm.kind != "LayerNorm":
            raise _NotPlain(f"it has {norm.kind} where LayerNorm is expected")
        self.norms.append(name)
        self.eps[name] = norm.eps
        for part, values in (("weight", norm.weight), ("bias", norm.bias)):
            if values is not None:
                self.tensors[f"{name}.{part}"] = values


def _entrance(module: nn.Module) -> Norm | None:
    """The norm ahead of the first block."""
    return timm_parts.norm(timm_parts.ends_of(module)[0]["z0"])


def _resizing(vit: VitModel) -> dict:
    """How a picture becomes the model's view: {"filter", "way", "height", "width", "crop", "tall_first"}.

    way: "short", the shorter side becomes `height`, and the other follows; "cover", it keeps its shape, as small as it
    can be and cover `height` and `width`; "whole", both sides are given. crop: [height, width] of the middle that is
    kept, of which the model sees the upper left [rows, cols] of patches. tall_first: see TALL_FIRST.
    """
    steps = vit.spatial_steps
    resize, rest = steps[0] if steps else None, steps[1:]
    size = getattr(resize, "size", ())
    size = [size] if isinstance(size, int) else list(size)
    cropped = len(rest) == 1 and type(rest[0]) is transforms.CenterCrop
    crop = list(rest[0].size) if cropped else size
    keeps = type(resize) is ResizeKeepRatio and not (resize.longest or resize.random_scale_prob)
    plainly = type(resize) is transforms.Resize and resize.max_size is None
    kind = getattr(resize, "interpolation", "")
    kind = getattr(kind, "value", kind)
    whole = len(crop) == 2 and all(side >= own for side, own in zip([size[0], size[-1]], crop, strict=True))
    if not (keeps or plainly) or kind not in FILTERS or rest[cropped:] or not whole:
        raise _NotPlain(f"its pictures are prepared otherwise: {', '.join(vit.preprocessing)}")
    way = "cover" if keeps else "short" if len(size) == 1 else "whole"
    made = {"filter": kind, "way": way, "height": size[0], "width": size[-1], "crop": crop}
    return made | {"tall_first": TALL_FIRST}


def _outputs(model: dict, t: dict[str, torch.Tensor], pixels: torch.Tensor) -> torch.Tensor:
    """[n, classes] of normalised pixels, by the description alone."""

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, t[f"{name}.weight"], t.get(f"{name}.bias"))

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        if name not in model["norms"]:
            return x
        return F.layer_norm(x, x.shape[-1:], t.get(f"{name}.weight"), t.get(f"{name}.bias"), model["eps"][name])

    patch, rows, cols, prefix = (model[name] for name in ("patch_size", "rows", "cols", "prefix"))
    seen = pixels[:, :, : rows * patch, : cols * patch]
    patches = F.unfold(seen, patch, stride=patch).mT  # [n, patch, channel · y · x]
    z = t["position"].expand(len(pixels), -1, -1).clone()  # [n, token, dim]
    z[:, prefix:] += linear("patch", patches)
    if prefix:
        z[:, :prefix] += t["prefix"]
    z = norm("norm_pre", z)
    for number in range(model["layers"]):
        name = f"blocks.{number}"
        q, k, v = linear(f"{name}.qkv", norm(f"{name}.norm1", z)).unflatten(-1, (3, model["heads"], -1)).unbind(2)
        q, k, v = (part.transpose(1, 2) for part in (norm(f"{name}.q_norm", q), norm(f"{name}.k_norm", k), v))
        heads = F.scaled_dot_product_attention(q, k, v, scale=model["scale"]).transpose(1, 2).flatten(2)
        z = z + t.get(f"{name}.scale1", torch.ones(1)) * linear(f"{name}.output", heads)
        hidden = ACTIVATIONS[model["activation"]](linear(f"{name}.first", norm(f"{name}.norm2", z)))
        z = z + t.get(f"{name}.scale2", torch.ones(1)) * linear(f"{name}.second", hidden)
    z = norm("norm", z)
    if not model["classes"]:
        return z
    if model["pooling"] == "mean":
        return linear("head", norm("fc_norm", z[:, 0 if model["pool_prefix"] else prefix :].mean(1)))
    logits = linear("head", norm("fc_norm", z[:, 0]))
    return (logits + linear("head_dist", z[:, 1])) / 2 if "head_dist.weight" in t else logits
