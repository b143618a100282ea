"""Layer normalisation of one token, and beside it what batch normalisation would make of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..forward.anatomy import Anatomy, dissect
from ..model import timm_parts
from ..model.parts import Norm
from ..model.vit import VitModel
from .formulas import Absent, affine, apart, array, moments, norm

BATCHES = (1, 2, 8)


@dataclass(frozen=True, eq=False)
class LayerNorm:
    """One token before and after: after = γ (before - mean) / √(variance + eps) + β.

    before, normalised, after [D]; weight γ and bias β [D], or None; kind: "LayerNorm", or "RMSNorm", whose mean is 0
    and whose variance is the mean square.
    """

    before: np.ndarray
    after: np.ndarray
    mean: float
    variance: float
    eps: float
    normalised: np.ndarray
    weight: np.ndarray | None
    bias: np.ndarray | None
    kind: str
    difference: float


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """One token of the first picture, normalised in batches of several sizes b.

    sizes: the batches' sizes; before [D]: the block's input; batch_norm, layer_norm [b, D]: the outputs; mean,
    variance [b, D]: batch normalisation's statistics over all pictures and tokens of the batch (Ioffe & Szegedy 2015,
    algorithm 1; those of training, no running averages), with layer normalisation's own scale and shift.
    moved_batch, moved_layer [b]: the greatest change of an output against the batch of one picture.
    difference: of layer_norm from what the model computed, None where `layer` is not the first anatomy's own.
    """

    sizes: tuple[int, ...]
    before: np.ndarray
    batch_norm: np.ndarray
    layer_norm: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    moved_batch: np.ndarray
    moved_layer: np.ndarray
    difference: float | None


def layer_norm(a: Anatomy, token: int, which: str = "norm1") -> LayerNorm:
    """which: "norm1", before attention; "norm2", before the MLP; "final", after the last block.

    Raises Absent where the model has no such norm, ValueError for another name.
    """
    part, x, y = _place(a, which)
    before = x[token].double()
    mean, variance = moments(before, part)
    normalised = (before - mean) / (variance + part.eps).sqrt()
    after = affine(normalised, part)
    return LayerNorm(
        before=array(before),
        after=array(after),
        mean=float(mean),
        variance=float(variance),
        eps=part.eps,
        normalised=array(normalised),
        weight=array(part.weight.cpu()) if part.weight is not None else None,
        bias=array(part.bias.cpu()) if part.bias is not None else None,
        kind=part.kind,
        difference=apart((after, y[token])),
    )


def _place(a: Anatomy, which: str) -> tuple[Norm, torch.Tensor, torch.Tensor]:
    if which == "final":
        if a.head.norm is None:
            raise Absent("absent_final_norm", model=a.vit.name)
        return a.head.norm, a.streams[-1], a.final.normed
    if which not in ("norm1", "norm2"):
        raise ValueError(f'There is no norm "{which}"; there are "norm1", "norm2" and "final".')
    if a.block is None or a.parts is None:
        raise Absent("absent_plain_block", model=a.vit.name, layer=a.layer)
    if which == "norm1":
        part, places = a.parts.norm1, (a.block.x, a.block.norm1)
    else:
        part, places = a.parts.norm2, (a.block.after_attention, a.block.norm2)
    if part is None:
        raise Absent("absent_norm", model=a.vit.name, layer=a.layer)
    return part, *places


def batch_norm(
    vit: VitModel,
    anatomies_or_views: Sequence[Anatomy | np.ndarray],
    layer: int,
    token: int,
    sizes: Sequence[int] = BATCHES,
) -> BatchNorm:
    """norm1 of block `layer` on the first picture's token, in batches of it and the pictures after it.

    anatomies_or_views: anatomies of any layer, or uint8 [H, W, 3] views, which take a forward pass each; sizes for
    which there are too few pictures are left out. Raises Absent for a block without such a norm.
    """
    layer %= vit.num_layers
    given = list(anatomies_or_views)[: max(sizes)]
    if not given:
        raise ValueError("No pictures were given; at least one anatomy or view was expected.")
    found = [item if isinstance(item, Anatomy) else dissect(vit, item, layer) for item in given]
    parts = timm_parts.block(list(vit.module.blocks)[layer])
    first = found[0]
    if parts is None or parts.norm1 is None or first.block is None:
        raise Absent("absent_plain_block", model=vit.name, layer=layer)
    part = parts.norm1
    sizes = tuple(size for size in sizes if size <= len(found))
    stack = torch.stack([a.streams[layer] for a in found]).double()  # [picture, token, D]
    by_batch, by_layer, means, variances = [], [], [], []
    for size in sizes:
        batch = stack[:size]
        mean, variance = batch.mean((0, 1)), batch.var((0, 1), unbiased=False)
        by_batch.append(affine((batch[0, token] - mean) / (variance + part.eps).sqrt(), part))
        by_layer.append(norm(batch, part)[0, token])
        means.append(mean)
        variances.append(variance)
    by_batch, by_layer = torch.stack(by_batch), torch.stack(by_layer)
    own = first.block.norm1[token] if first.layer == layer else None
    return BatchNorm(
        sizes=sizes,
        before=array(stack[0, token]),
        batch_norm=array(by_batch),
        layer_norm=array(by_layer),
        mean=array(torch.stack(means)),
        variance=array(torch.stack(variances)),
        moved_batch=array((by_batch - by_batch[0]).abs().amax(-1)),
        moved_layer=array((by_layer - by_layer[0]).abs().amax(-1)),
        difference=None if own is None else apart((by_layer[0], own)),
    )
