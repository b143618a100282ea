"""What a capture does not keep but makes again, and the proof that the model has not become another one since."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..errors import CaptureError
from ..model.timm_embedding import BIAS_NAMES
from ..model.twin import twin
from ..model.vit import VitModel
from .call import Call
from .recorder import Recorder


def streams(vit: VitModel, pixels: torch.Tensor, output: torch.Tensor) -> list[torch.Tensor]:
    """The residual stream after each block, [token, dim]; CaptureError where the model's output is no longer this one.

    The output may differ by rounding: a capture of several pictures ran them as one batch.
    """
    recorder = Recorder(vit.num_layers)
    with torch.no_grad(), recorder:
        again = recorder.watch(vit.module, keep_streams=True)(pixels)
    tolerance = 1e-3 if output.dtype in (torch.float32, torch.float64) else 5e-2
    same = again.shape == output.shape and again.dtype == output.dtype and again.device == output.device
    if same:
        before, after = output.float(), again.float()
        same = bool((before - after).abs().max() <= tolerance * before.abs().max().clamp_min(1e-12))
    if not same and not output.isnan().any():
        raise CaptureError(
            f"The weights of {vit.name} have changed since this capture was made, and its token vectors were not asked "
            f"for until now. Make a new capture, and ask for tokens before the next training step."
        )
    return recorder.streams


def kept_for_bias(vit: VitModel, calls: Sequence[Call], extras: Sequence[tuple]) -> tuple[list, list[dict]]:
    """For each layer what its block was called with, and copies of its tables, where it makes a bias of its own.

    They are needed to make that bias again, and for nothing else.
    """
    again = [call.has_bias and call.shared_bias is None for call in calls]
    tables = [kept_tables(vit, layer) if made else {} for layer, made in enumerate(again)]
    return [extra if made else None for extra, made in zip(extras, again, strict=True)], tables


def kept_tables(vit: VitModel, layer: int) -> dict[str, torch.Tensor]:
    """Copies of what a block makes its own attention bias from, by name."""
    block = list(vit.module.blocks)[layer]
    named = block.named_parameters()
    return {name: table.detach().clone() for name, table in named if any(part in name for part in BIAS_NAMES)}


def with_tables(block: nn.Module, tables: dict[str, torch.Tensor]) -> nn.Module:
    """A twin of the block that makes its bias from these."""
    double = twin(block)
    for name, table in tables.items():
        place, _, name = name.rpartition(".")
        double.get_submodule(place)._parameters[name] = nn.Parameter(table, requires_grad=False)
    return double
