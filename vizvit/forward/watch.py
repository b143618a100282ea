"""Watching one forward pass of a twin: what passes between the parts of the model and inside one of its blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from ..model import timm_embedding, timm_parts
from ..model.twin import twin

See = Callable[[torch.Tensor], object]


class Watch(TorchFunctionMode):
    """Runs a twin of the module once and keeps what passes by, float32 on the CPU, without the batch axis.

    seen: by name; calls: the attention calls of the watched block; streams: the residual stream, L+1 tensors;
    rope: the rotary angles that the block was given; pre_norm: whether its first norm reads the block's own input.
    """

    def __init__(self, module: nn.Module, layer: int):
        super().__init__()
        self.seen: dict[str, torch.Tensor] = {}
        self.calls: list[dict] = []
        self.streams: list[torch.Tensor] = []
        self.rope: torch.Tensor | None = None
        self.pre_norm = False
        self._inside = False
        self._input: torch.Tensor | None = None
        self._twin = twin(module)
        self._watch_ends(self._twin)
        blocks = list(self._twin.blocks)
        self._before(blocks[0], lambda x: self.streams.append(keep(x)))
        for block in blocks:
            self._after(block, lambda x: self.streams.append(keep(x)))
        self._watch_block(blocks[layer])

    def run(self, pixels: torch.Tensor) -> torch.Tensor:
        """The model's output, [1, classes]."""
        with torch.no_grad(), self:
            return self._twin(pixels)

    def sequence(self) -> torch.Tensor:
        """[T, D]: the tokens with their positions, before any norm ahead of the blocks."""
        return self.seen.get("z0", self.streams[0])

    def __torch_function__(self, func: Callable, types: Collection[type], args: tuple = (), kwargs: dict | None = None):
        out = func(*args, **(kwargs or {}))
        if self._inside and func is F.scaled_dot_product_attention:
            self._attention(out, *args, **(kwargs or {}))
        return out

    def _attention(
        self,
        out: torch.Tensor,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        **other: object,
    ) -> None:
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            attn_mask = torch.zeros_like(attn_mask, dtype=torch.float32).masked_fill(~attn_mask, -torch.inf)
        bias = None if attn_mask is None else keep(attn_mask.reshape(1, -1, *attn_mask.shape[-2:]))
        scale = 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
        kept = {"q": keep(query), "k": keep(key), "v": keep(value), "output": keep(out)}
        self.calls.append({**kept, "scale": scale, "bias": bias})

    def _watch_ends(self, module: nn.Module) -> None:
        self._output("embedded", timm_embedding.embedded_by(module))
        self._steps(*timm_parts.ends_of(module))

    def _watch_block(self, block: nn.Module) -> None:
        def enter(module: nn.Module, args: tuple, kwargs: dict) -> None:
            self._inside, self._input = True, args[0]
            self.seen["x"] = keep(args[0])
            rope = kwargs.get("rope")
            self.rope = None if rope is None else rope.detach().float().cpu().clone()

        def leave(module: nn.Module, args: tuple, out: torch.Tensor) -> None:
            self._inside = False
            self.seen["after"] = keep(out)

        def norm1(module: nn.Module, args: tuple) -> None:
            self.pre_norm = args[0] is self._input

        block.register_forward_pre_hook(enter, with_kwargs=True)
        block.register_forward_hook(leave)
        inputs, outputs = timm_parts.steps_of(block)
        if outputs["norm1"] is not None:
            outputs["norm1"].register_forward_pre_hook(norm1)
        self._steps(inputs, outputs)

    def _steps(self, inputs: timm_parts.Steps, outputs: timm_parts.Steps) -> None:
        for name, module in inputs.items():
            self._entering(name, module)
        for name, module in outputs.items():
            self._output(name, module)

    def _output(self, name: str, module: nn.Module | None) -> None:
        if module is not None:
            self._after(module, lambda x: self.seen.__setitem__(name, keep(x)))

    def _entering(self, name: str, module: nn.Module | None) -> None:
        if module is not None:
            self._before(module, lambda x: self.seen.__setitem__(name, keep(x)))

    @staticmethod
    def _after(module: nn.Module, see: See) -> None:
        module.register_forward_hook(lambda module, args, out: see(out))

    @staticmethod
    def _before(module: nn.Module, see: See) -> None:
        module.register_forward_pre_hook(lambda module, args: see(args[0]))


def keep(tensor: torch.Tensor) -> torch.Tensor:
    """A copy, since later steps may change it in place: float32 on the CPU, without the batch axis."""
    return tensor.detach()[0].to("cpu", torch.float32, copy=True).contiguous()
