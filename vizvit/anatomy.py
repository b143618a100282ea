"""One forward pass, taken apart: what the model itself computed on a picture, step by step, and its weights by part.

The pass runs on a twin of the model, so that watching it touches nothing that other threads use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from . import weights
from .errors import CaptureError
from .grid import PatchGrid
from .model import VitModel
from .parts import Block, Head, Kernel
from .trace import BlockTrace, Final
from .watch import Watch


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What one forward pass computed, made by `dissect`. Tensors are float32 on the CPU, without a batch axis.

    view: uint8 [H, W, 3]; pixels [3, H, W]: normalised, as the model was given them.
    layer: the block that `block` belongs to, from 0.
    embedded [N, D]: the patch embedding's output, or None where it is not apart; prefix [n, D]: the learned prefix
        tokens before any position is added; position [T, D]: what is added to each token (zeros for tokens that get
        none), or None.
    z0 [T, D]: the sequence with positions, before any norm ahead of the blocks; streams [L+1, T, D]: the residual
        stream, 0 = the input of the first block, l = the output of block l - 1.
    block: None for a block that is not norm, attention, norm, MLP one after the other.
    kernel, parts, head: the weights, as references; `parts` those of the block.
    """

    vit: VitModel
    view: np.ndarray
    pixels: torch.Tensor
    layer: int
    embedded: torch.Tensor | None
    prefix: torch.Tensor
    position: torch.Tensor | None
    z0: torch.Tensor
    streams: torch.Tensor
    block: BlockTrace | None
    final: Final
    kernel: Kernel | None
    parts: Block | None
    head: Head

    @property
    def grid(self) -> PatchGrid:
        return self.vit.grid

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors that were kept, each storage counted once, without the weights of block and ends."""
        held = [part for part in (self, self.block, self.final) if part is not None]
        tensors = [value for part in held for value in vars(part).values() if isinstance(value, torch.Tensor)]
        storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
        return sum(storages.values()) + self.view.nbytes

    def numbers(self) -> dict[str, int | str]:
        """The model's numbers under the names that texts use for them: {model}, {dim}, {heads}, {layers}, ..."""
        grid, (height, width) = self.grid, self.grid.image_size
        dim, channels = self.streams.shape[-1], self.pixels.shape[0]
        found: dict[str, int | str] = {
            "model": self.vit.name,
            "height": height,
            "width": width,
            "channels": channels,
            "patch": grid.patch_size,
            "values": grid.patch_size**2 * channels,
            "rows": grid.rows,
            "cols": grid.cols,
            "patches": grid.num_patches,
            "prefix": grid.num_prefix_tokens,
            "tokens": grid.num_tokens,
            "dim": dim,
            "layers": self.vit.num_layers,
            "layer": self.layer,
            "heads": self.vit.num_heads,
            "head_dim": dim // self.vit.num_heads,
            "classes": len(self.vit.labels),
            "hidden": 4 * dim,
        }
        if self.block is not None:
            found["heads"], found["head_dim"] = self.block.q.shape[0], self.block.q.shape[-1]
        if self.parts is not None:
            found["hidden"] = self.parts.mlp.second.weight.shape[1]
        return found


@torch.no_grad()
def dissect(vit: VitModel, view: np.ndarray, layer: int = -1) -> Anatomy:
    """Everything that one forward pass computed on these pixels, with one block's inside.

    view: uint8 [H, W, 3] of the size that `VitModel.view` gives; layer: from 0, negative from the end.
    Raises CaptureError for other pixels, a layer that is not there, or a model that fails on its picture.
    """
    view, (height, width) = np.asarray(view), vit.grid.image_size
    if view.dtype != np.uint8 or view.shape != (height, width, 3):
        raise CaptureError(
            f"Got pixels of shape {list(view.shape)} and type {view.dtype}, but uint8 [{height}, {width}, 3] was "
            f"expected: what {vit.name} sees."
        )
    if not -vit.num_layers <= layer < vit.num_layers:
        raise CaptureError(f"There is no layer {layer}: {vit.name} has layers 0 to {vit.num_layers - 1}.")
    layer %= vit.num_layers
    pixels = vit.normalise(view)
    watch = Watch(vit.module, layer)
    try:
        logits = watch.run(pixels)
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise CaptureError(
            f"{vit.name} failed on a picture of {height}x{width} pixels: {reason}. "
            f"Try a smaller image size or another model."
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        raise CaptureError(
            f"{vit.name} does not give one vector for the picture but a sequence, as encoders for language models do. "
            f"Choose a model with a classifier."
        )
    lengths = {len(stream) for stream in watch.streams}
    if lengths != {vit.grid.num_tokens}:
        raise CaptureError(
            f"{vit.name} works on {' or '.join(map(str, sorted(lengths)))} tokens, but its prefix tokens and patches "
            f"are {vit.grid.num_tokens}. Models that pool or drop tokens cannot be taken apart on one patch grid."
        )
    parts = weights.block(list(vit.module.blocks)[layer])
    return Anatomy(
        vit=vit,
        view=view.copy(),
        pixels=pixels[0].float().cpu(),
        layer=layer,
        embedded=_embedded(watch, vit),
        prefix=weights.prefix_tokens(vit.module),
        position=_position(vit),
        z0=watch.sequence(),
        streams=torch.stack(watch.streams),
        block=BlockTrace.of(watch, parts),
        final=Final.of(watch, logits, bool(vit.labels)),
        kernel=weights.kernel(vit.module, vit.grid.patch_size),
        parts=parts,
        head=weights.head(vit.module),
    )


def _position(vit: VitModel) -> torch.Tensor | None:
    table = weights.position_table(vit.module, vit.grid)
    if table is not None:
        return table
    on_grid = vit.position_embedding()  # of models that resample their table in the forward pass
    if on_grid is None:
        return None
    patches = torch.from_numpy(on_grid).flatten(0, 1)
    return torch.cat([patches.new_zeros(vit.grid.num_prefix_tokens, patches.shape[1]), patches])


def _embedded(watch: Watch, vit: VitModel) -> torch.Tensor | None:
    tokens = watch.seen.get("embedded")
    if tokens is None or tokens.numel() != vit.grid.num_patches * tokens.shape[-1]:
        return None
    return tokens.reshape(vit.grid.num_patches, -1)
