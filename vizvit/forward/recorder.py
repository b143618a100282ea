"""Watching one forward pass: every attention call, filed under the block that makes it.

A `TorchFunctionMode` is thread-local and sees `scaled_dot_product_attention` on its way, so that the model needs no
hooks, which would be seen by every thread that uses it, and keeps its fused attention.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint

from ..errors import CaptureError
from ..model.outputs import checked
from ..model.timm_parts import after_blocks
from ..model.twin import stand_in
from ..model.vit import VitModel
from . import few
from .backward import Attention, pays
from .call import Call, are_of_one, norms_of, own
from .flow import Flows

GRAPH = 10  # of what a block holds for the backward pass, in sizes of its input: input, q, k, v, output, norm, MLP
LARGE = 2**29  # bytes of all blocks from which a backward pass is short of memory rather than of time
FEW = ("class token", "class and distillation tokens")  # what reads a few queries of the last block alone


class Recorder(TorchFunctionMode):
    """Files every attention call made in this thread under the block that is running."""

    def __init__(self, num_layers: int, *, gradients: bool = False, keep_bias: bool = False):
        super().__init__()
        self.layers: list[list[Call]] = [[] for _ in range(num_layers)]
        self.elsewhere: list[Call] = []  # a pooling head
        self.streams: list[torch.Tensor | None] = [None] * num_layers
        # [picture, token]: L2 norms of the first block's input and of each block's output
        self.norms: list[torch.Tensor | None] = [None] * (num_layers + 1)
        self.extras: list[tuple] = [((), {})] * num_layers
        self.biases: list[torch.Tensor | None] = [None] * num_layers
        self.running: int | None = None
        self.features: torch.Tensor | None = None  # [picture, dim]: what the classifier read
        self._linear: tuple = (None, None)  # (input, output) of the last linear layer after the blocks
        self.silenced: list[tuple[int, ...]] = [()] * num_layers
        self.reads_few = False  # whether a gradient is wanted that reaches few of the last block's queries
        self.flows: Flows | None = None  # what is taken through the layers with the backward pass
        self._gradients = gradients
        self._keep_bias = keep_bias
        self._kept: torch.Tensor | None = None  # [layer, q | k, head, token, dim]
        self._layers_kept = 0

    def __torch_function__(self, func: Callable, types: Collection[type], args: tuple = (), kwargs: dict | None = None):
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            out = self._attend(func, args, kwargs)
            self._record(out, *args, **kwargs)
            return out
        if func is F.linear and self._few_are_reached() and not kwargs:
            return few.linear(*args)
        out = func(*args, **kwargs)
        if func is F.linear and self.running is None:
            self._linear = (args[0], out)
        return out

    def _few_are_reached(self) -> bool:
        return self.reads_few and self.running == len(self.layers) - 1

    def _attend(self, attend: Callable, args: tuple, kwargs: dict) -> torch.Tensor:
        others = {**kwargs, "scale": None, "attn_mask": None}
        plain = len(args) == 3 and kwargs.get("attn_mask") is None and not any(others.values())
        if self.flows is not None and self.running is not None and not (plain and pays(*args)):
            self.flows = None
        if plain and self._few_are_reached():
            return few.FewQueries.apply(partial(attend, **kwargs), *args)
        if self.flows is None or not self.running:  # below the first block's attention nothing needs a gradient
            return attend(*args, **kwargs)
        take, silenced = partial(self.flows.take, self.running), self.silenced[self.running]
        return Attention.apply(partial(attend, **kwargs), take, _scale(args[0], **kwargs), silenced, *args)

    def _record(
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
        if is_causal or other.get("enable_gqa") or query.shape[:2] != key.shape[:2] or query.shape[0] != 1:
            raise CaptureError(
                f"The model calls attention in a way that cannot be shown: queries {tuple(query.shape)}, keys "
                f"{tuple(key.shape)}, causal={is_causal}. Expected plain self-attention over one picture."
            )
        extras = self.extras[self.running] if self.running is not None else ((), {})
        handed = [t for t in (*extras[0], *extras[1].values()) if isinstance(t, torch.Tensor)]
        shared = attn_mask if any(t is attn_mask for t in handed) else None
        if self._gradients and are_of_one(query, key, value):  # which the graph holds anyway
            q, k, v = (tensor[0].detach() for tensor in (query, key, value))
        else:
            q, k = self._keep(query[0], key[0])
            v = own(value[0]) if self._gradients else None
        call = Call(
            q=q,
            k=k,
            v=v,
            scale=_scale(query, scale),
            has_bias=attn_mask is not None,
            shared_bias=shared if self.running is not None else attn_mask,
            output=out if self._gradients else None,
            silenced=self.silenced[self.running] if self.running is not None else (),
        )
        if self.running is None:
            if any(self.layers):  # before the first block it is a convolutional stem's own, not a pooling head's
                self.elsewhere.append(call)
        else:
            self.layers[self.running].append(call)
            if self._keep_bias:
                self.biases[self.running] = attn_mask

    def _keep(self, q: torch.Tensor, k: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Copies of q and k, which are often views of one qkv tensor that would keep v alive.

        All layers go into one allocation: many small ones are given back to the system and faulted in anew by each
        capture, which cost more than the copying.
        """
        if self.running is None or q.shape != k.shape or q.device.type == "meta":
            return own(q), own(k)
        if self._kept is None:
            self._kept = torch.empty(len(self.layers), 2, *q.shape, dtype=q.dtype, device=q.device)
        place = self._kept[self.running]
        if place.shape[1:] != q.shape or place.dtype != q.dtype or self.layers[self.running]:
            return own(q), own(k)
        self._layers_kept += 1
        return place[0].copy_(q.detach()), place[1].copy_(k.detach())

    @property
    def queries_and_keys(self) -> torch.Tensor | None:
        """[layer, q | k, head, token, dim] of all recorded layers, where they lie in one tensor."""
        return self._kept if self._layers_kept == len(self.layers) else None

    def watch(self, module: nn.Module, *, keep_streams: bool = False) -> nn.Module:
        """A stand-in for the module: the same parameters and code, with blocks that tell this recorder that they run.

        Forward hooks would be seen by every thread that uses the model; a shallow copy is seen by this one alone.
        """
        double = stand_in(module)
        blocks = stand_in(module.blocks)
        for index, (name, block) in enumerate(module.blocks.named_children()):
            blocks._modules[name] = self.watch_block(index, block, keep_streams)
        double._modules["blocks"] = blocks
        for classifier in after_blocks(module)[0][:1]:
            for name, part in module._modules.items():
                if part is classifier:
                    double._modules[name] = self._watch_classifier(part)
        return double

    def _watch_classifier(self, classifier: nn.Module) -> nn.Module:
        def forward(x: torch.Tensor, *args, **kwargs):
            self.features = x
            return classifier.forward(x, *args, **kwargs)

        double = copy.copy(classifier)
        double.forward = forward
        return double

    def settle_features(self, logits: torch.Tensor, has_classes: bool) -> None:
        """[picture, dim]: what the classifier read of all that passed by; the output itself where there is none."""
        if not has_classes:
            self.features = logits
        elif self.features is None and self._linear[1] is logits:  # a classifier of the model's own
            self.features = self._linear[0]
        self._linear = (None, None)
        self.features = None if self.features is None else own(self.features)

    def watch_block(self, index: int, block: nn.Module, keep_stream: bool = False) -> nn.Module:
        self.silenced[index] = getattr(block, "silenced_heads", ())

        def forward(x: torch.Tensor, *args, **kwargs) -> torch.Tensor:
            self.running = index
            self.extras[index] = (args, kwargs)
            if index == 0:
                kept = getattr(block, "kept_tokens", None)  # an intervention drops the others in the first block
                dropped = kept is not None and x.shape[1] > len(kept)
                self.norms[0] = norms_of(x)[:, kept] if dropped else norms_of(x)
            try:
                x = self._run(block.forward, x, *args, **kwargs)
            finally:
                self.running = None
            self.norms[index + 1] = norms_of(x)
            if keep_stream:
                self.streams[index] = own(x[0].detach())
            return x

        double = copy.copy(block)
        double.forward = forward
        return double

    def _run(self, block: Callable, x: torch.Tensor, *args, **kwargs) -> torch.Tensor:
        last = self.running == len(self.layers) - 1  # its graph is the first that the backward pass is done with
        if last or not self._gradients or GRAPH * x.nbytes * len(self.layers) < LARGE:
            return block(x, *args, **kwargs)
        self.flows = None
        # Only what goes into a block is kept for the backward pass, which computes one block at a time anew.
        return checkpoint(block, x, *args, use_reentrant=False, preserve_rng_state=False, **kwargs)


def _scale(query: torch.Tensor, scale: float | None = None, **other: object) -> float:
    return 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)


def forward(vit: VitModel, recorder: Recorder, pixels: torch.Tensor) -> torch.Tensor:
    """The module's output on pixels, every block's attention recorded; CaptureError otherwise."""
    recorder.reads_few = pixels.requires_grad and vit.read_out in FEW
    try:
        with recorder:
            logits = recorder.watch(vit.module)(pixels)
    except CaptureError:
        raise
    except Exception as error:
        height, width = pixels.shape[-2:]
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise CaptureError(
            f"{vit.name} failed on a picture of {height}x{width} pixels: {reason}. "
            f"Try a smaller image size or another model."
        ) from error
    _check(vit, recorder)
    logits = checked(logits, vit.name, CaptureError)
    if vit.labels and logits.shape[1] != len(vit.labels):
        raise CaptureError(
            f"{vit.name} gives {logits.shape[1]} outputs by now, but had {len(vit.labels)} when it was wrapped. Wrap "
            f"the module again."
        )
    recorder.settle_features(logits, bool(vit.labels))
    return logits


def _check(vit: VitModel, recorder: Recorder) -> None:
    """CaptureError unless each block made exactly one self-attention call over all tokens."""
    counts = [len(calls) for calls in recorder.layers]
    if set(counts) != {1}:
        odd = next(i for i, count in enumerate(counts) if count != 1)
        made = "no attention call" if counts[odd] == 0 else f"{counts[odd]} attention calls"
        raise CaptureError(
            f"The attention of {vit.name} cannot be shown in full: block {odd} ({_class_of(vit, odd)}) made {made} "
            f"through scaled_dot_product_attention where one is expected. "
            f"Choose a model whose blocks are plain self-attention."
        )
    tokens = vit.grid.num_tokens
    for layer, (call,) in enumerate(recorder.layers):
        if call.q.shape[1] != tokens or call.k.shape[1] != tokens:
            raise CaptureError(
                f"Block {layer} of {vit.name} attends from {call.q.shape[1]} to {call.k.shape[1]} tokens, but "
                f"{vit.grid.num_prefix_tokens} prefix tokens and {vit.grid.rows}x{vit.grid.cols} patches are {tokens}. "
                f"Models that window, pool or drop tokens cannot be shown on one patch grid. "
                f"Choose a model whose blocks are plain self-attention."
            )


def _class_of(vit: VitModel, layer: int) -> str:
    return type(list(vit.module.blocks)[layer]).__name__
