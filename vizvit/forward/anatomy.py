"""One forward pass, taken apart: what the model itself computed on a picture, step by step, and its weights by part.

The pass runs on a twin of the model, so that watching it touches nothing that other threads use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..errors import CaptureError
from ..grid import PatchGrid
from ..model import timm_embedding, timm_parts
from ..model.given import checked_model
from ..model.outputs import checked
from ..model.parts import Block, Head, Kernel
from ..model.tokens import find_layer
from ..model.vit import VitModel
from .views import checked_view
from .watch import Watch


@dataclass(frozen=True, eq=False)
class BlockTrace:
    """What one block computed, float32 on the CPU; T tokens of width D, H heads of width d, F hidden units.

    x [T, D]: the block's input; norm1 [T, D].
    q, k, v [H, T, d]: as they enter the dot product, after q/k normalisation and rotary embedding.
    scale: what q·k is multiplied by; bias [H or 1, T or 1, T]: what is added to the scaled scores, or None.
    rope [..., N, 2d]: the sines, then the cosines, of the rotary angles of the patches, or None.
    head_outputs [H, T, d]: A V; concatenated [T, H·d]: the heads beside each other; entering [T, H·d]: what W^O reads,
        which differs from `concatenated` only where a norm or a gate comes between.
    attended [T, D]: after W^O; attended_scaled [T, D]: after layer scale, None without one.
    after_attention [T, D]: x plus that; norm2 [T, D].
    hidden_pre [T, F]: what enters the activation; gate [T, F]: what the activation is multiplied by, or None;
        hidden [T, F]: what the second linear layer reads.
    mlp_out [T, D]: after it; mlp_scaled [T, D]: after layer scale, None without one; after [T, D]: the block's output.
    """

    x: torch.Tensor
    norm1: torch.Tensor
    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    scale: float
    bias: torch.Tensor | None
    rope: torch.Tensor | None
    head_outputs: torch.Tensor
    concatenated: torch.Tensor
    entering: torch.Tensor
    attended: torch.Tensor
    attended_scaled: torch.Tensor | None
    after_attention: torch.Tensor
    norm2: torch.Tensor
    hidden_pre: torch.Tensor | None
    gate: torch.Tensor | None
    hidden: torch.Tensor | None
    mlp_out: torch.Tensor
    mlp_scaled: torch.Tensor | None
    after: torch.Tensor

    @classmethod
    def of(cls, watch: Watch, parts: Block | None) -> BlockTrace | None:
        """None for a block that is not norm, attention, norm, MLP one after the other."""
        seen = watch.seen
        if parts is None or len(watch.calls) != 1 or not watch.pre_norm or "entering" not in seen:
            return None
        (call,) = watch.calls
        tokens = seen["x"].shape[0]
        if call["q"].shape[1] != tokens or call["k"].shape[1] != tokens:
            return None
        gate = None
        if parts.mlp.gate is not None and "act_out" in seen:
            gate = seen.get("gate")
            if gate is None and "first" in seen:  # one layer for both: the half that does not enter the activation
                halves = seen["first"].chunk(2, -1)
                gate = halves[0] if torch.equal(halves[1], seen["act_in"]) else halves[1]
        return cls(
            x=seen["x"],
            norm1=seen["norm1"],
            q=call["q"],
            k=call["k"],
            v=call["v"],
            scale=call["scale"],
            bias=call["bias"],
            rope=watch.rope,
            head_outputs=call["output"],
            concatenated=call["output"].transpose(0, 1).flatten(1),
            entering=seen["entering"],
            attended=seen["attended"],
            attended_scaled=_scaled(seen["attended"], parts.scale1),
            after_attention=seen["after_attention"],
            norm2=seen["norm2"],
            hidden_pre=seen.get("act_in"),
            gate=gate,
            hidden=seen.get("hidden"),
            mlp_out=seen["mlp_out"],
            mlp_scaled=_scaled(seen["mlp_out"], parts.scale2),
            after=seen["after"],
        )


@dataclass(frozen=True, eq=False)
class Final:
    """From the last stream to the prediction, float32 on the CPU.

    normed [T, D]: all tokens after the final norm (the stream itself where there is none).
    pooled [D]: what the read-out made of them; distilled [D]: the distillation token, or None.
    features [D]: what the classifier reads (after fc_norm, where there is one).
    logits [classes]; empty for a model without a classifier.
    """

    normed: torch.Tensor
    pooled: torch.Tensor
    distilled: torch.Tensor | None
    features: torch.Tensor
    logits: torch.Tensor

    @classmethod
    def of(cls, watch: Watch, logits: torch.Tensor, has_classes: bool) -> Final:
        seen, last = watch.seen, watch.streams[-1]
        features = seen.get("features", logits.detach()[0].float().cpu())
        return cls(
            normed=seen.get("normed", last),
            pooled=seen.get("pooled", features),
            distilled=seen.get("distilled"),
            features=features,
            logits=logits.detach()[0].float().cpu() if has_classes else torch.zeros(0),
        )


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

    def __repr__(self) -> str:
        tokens, dim = self.streams.shape[1:]
        return f"Anatomy({self.vit.name}: block {self.layer} of {self.vit.num_layers}, {tokens} tokens of {dim} values)"

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
        dim = self.streams.shape[-1]
        heads, size = self.vit.num_heads, dim // self.vit.num_heads
        if self.block is not None:
            heads, size = self.block.q.shape[0], self.block.q.shape[-1]
        hidden = 4 * dim if self.parts is None else self.parts.mlp.second.weight.shape[1]
        return numbers_of(self.vit, dim=dim, heads=heads, head_dim=size, hidden=hidden) | {"layer": self.layer}


def numbers_of(vit: VitModel, *, dim: int, heads: int, head_dim: int, hidden: int) -> dict[str, int | str]:
    """The numbers of texts that are the same in every layer."""
    grid, (height, width) = vit.grid, vit.grid.image_size
    return {
        "model": vit.name,
        "height": height,
        "width": width,
        "channels": vit.channels,
        "patch": grid.patch_size,
        "values": grid.patch_size**2 * vit.channels,
        "rows": grid.rows,
        "cols": grid.cols,
        "patches": grid.num_patches,
        "prefix": grid.num_prefix_tokens,
        "tokens": grid.num_tokens,
        "dim": dim,
        "layers": vit.num_layers,
        "heads": heads,
        "head_dim": head_dim,
        "classes": len(vit.labels),
        "hidden": hidden,
    }


@torch.no_grad()
def dissect(vit: VitModel, view: np.ndarray, layer: int = -1) -> Anatomy:
    """Everything that one forward pass computed on these pixels, with one block's inside.

    view: uint8 [H, W, 3] of the size that `VitModel.view` gives; layer: from 0, negative from the end.
    Raises CaptureError for other pixels, a layer that is not there, or a model that fails on its picture.
    """
    checked_model(vit)
    view = checked_view(vit, view)
    layer = find_layer(vit, layer)
    pixels = vit.normalise(view)
    watch = Watch(vit.module, layer)
    try:
        logits = watch.run(pixels)
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        height, width = vit.grid.image_size
        raise CaptureError(
            f"{vit.name} failed on a picture of {height}x{width} pixels: {reason}. "
            f"Try a smaller image size or another model."
        ) from error
    logits = checked(logits, vit.name, CaptureError)
    lengths = {len(stream) for stream in watch.streams}
    if lengths != {vit.grid.num_tokens}:
        raise CaptureError(
            f"{vit.name} works on {' or '.join(map(str, sorted(lengths)))} tokens, but its prefix tokens and patches "
            f"are {vit.grid.num_tokens}. Models that pool or drop tokens cannot be taken apart on one patch grid."
        )
    parts = timm_parts.block(list(vit.module.blocks)[layer])
    return Anatomy(
        vit=vit,
        view=view.copy(),
        pixels=pixels[0].float().cpu(),
        layer=layer,
        embedded=_embedded(watch, vit),
        prefix=timm_embedding.prefix_tokens(vit.module),
        position=_position(vit),
        z0=watch.sequence(),
        streams=torch.stack(watch.streams),
        block=BlockTrace.of(watch, parts),
        final=Final.of(watch, logits, bool(vit.labels)),
        kernel=timm_embedding.kernel(vit.module, vit.grid.patch_size),
        parts=parts,
        head=timm_parts.head(vit.module),
    )


def _position(vit: VitModel) -> torch.Tensor | None:
    table = timm_embedding.position_table(vit.module, vit.grid)
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


def _scaled(branch: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor | None:
    return None if scale is None else branch * scale.detach().float().cpu()
