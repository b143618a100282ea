"""Weights made random from the head down: what a map owes to training.

Adebayo et al., "Sanity Checks for Saliency Maps" (NeurIPS 2018), section 3: cascading randomisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from ..errors import CaptureError
from ..model.timm_parts import after_blocks
from .draft import Draft, edit


@dataclass(frozen=True)
class RandomWeights:
    """The head and the last blocks as before training: as timm begins with them, drawn with `seed`.

    from_top: how many blocks, counted from the last; with at least one, what stands between it and the head (the final
    norm, a pooling head) is drawn anew as well; 0 is the head alone. The embeddings of patches and positions are kept.
    Matrices are drawn from a normal distribution of standard deviation 0.02, cut at ±2; biases are 0, norms 1.
    """

    from_top: int
    seed: int = 0
    stage: ClassVar[int] = 2

    def apply(self, draft: Draft) -> None:
        count = draft.vit.num_layers
        if not 0 <= self.from_top <= count:
            raise CaptureError(f"The weights of 0 to {count} blocks can be drawn anew; received {self.from_top}.")
        heads, between = after_blocks(draft.module)
        parts = [*heads, *(between if self.from_top else ()), *draft.blocks[::-1][: self.from_top]]
        generator = torch.Generator().manual_seed(self.seed)
        changed = [_draw(part, generator) for whole in parts for part in whole.modules()]
        if not any(changed):
            raise CaptureError(f"{draft.vit.name} has no head whose weights could be drawn anew.")


def _draw(module: nn.Module, generator: torch.Generator) -> bool:
    """New values for a module's own parameters, in tensors of their own; whether it has any."""
    own = {name: tensor for name, tensor in module._parameters.items() if tensor is not None}
    for name, tensor in own.items():
        fresh = torch.zeros(tensor.shape, dtype=torch.float32)
        if tensor.ndim > 1:
            nn.init.trunc_normal_(fresh, std=0.02, generator=generator)
        edit(module, name, fresh.to(tensor))
    vectors = any(tensor.ndim == 1 for tensor in own.values())
    if vectors and hasattr(module, "reset_parameters") and not isinstance(module, (nn.Linear, nn.Conv2d)):
        shared = module._buffers  # which a reset would write to
        module._buffers = {name: None if buffer is None else buffer.clone() for name, buffer in shared.items()}
        with torch.no_grad():
            module.reset_parameters()  # ones, zeros, the layer scale's start
        module._buffers = shared
    return bool(own)
