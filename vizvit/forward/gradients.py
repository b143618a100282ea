"""The gradients that explanations of a class need: of one output, by what each attention gave."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from .call import Call, own
from .flow import Flows
from .recorder import Recorder
from .weighted import gradient_rows


def output_gradients(
    recorder: Recorder, logits: torch.Tensor, target: int
) -> tuple[list[torch.Tensor], torch.Tensor | None]:
    """For each layer ∂y/∂O, [head, token, head_dim], and the same of the pooling head where there is one.

    logits: [1, class], of which y is the one of the target class.
    The recorded calls are replaced by ones that keep their values but no longer the graph. The recorder's flows are
    taken through all layers.
    """
    calls, pool = [calls[0] for calls in recorder.layers], recorder.elsewhere[-1:]
    outputs = [call.output for call in [*calls, *pool]]
    if recorder.flows is not None and recorder.reads_few and len(calls) > 1:
        outputs[len(calls) - 1].register_hook(partial(_take, recorder.flows, len(calls) - 1, calls[-1]))
    with torch.enable_grad():  # also where the caller has switched gradients off
        found = torch.autograd.grad(logits[0, target], outputs, allow_unused=True)
    found = [torch.zeros_like(o) if g is None else g for g, o in zip(found, outputs, strict=True)]
    if recorder.flows is not None:
        _take(recorder.flows, 0, calls[0], found[0])  # what is below it needs no gradient
    recorder.layers = [[replace(call, output=None)] for call in calls]
    recorder.elsewhere = [replace(call, output=None) for call in pool]
    return [own(g[0]) for g in found[: len(calls)]], own(found[-1][0]) if pool else None


def _take(flows: Flows, layer: int, call: Call, of_output: torch.Tensor) -> None:
    flows.take(layer, gradient_rows(call, of_output[0], None, flows.span))
