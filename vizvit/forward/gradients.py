"""The gradients that explanations of a class need: of one output, by what each attention gave."""

from __future__ import annotations

from dataclasses import replace

import torch

from .recorder import Call, Recorder, own


def output_gradients(
    recorder: Recorder, logits: torch.Tensor, target: int
) -> tuple[list[torch.Tensor], torch.Tensor | None]:
    """For each layer ∂y/∂O, [head, token, head_dim], and the same of the pooling head where there is one.

    logits: [1, class], of which y is the one of the target class.
    The recorded calls are replaced by ones that keep their values but no longer the graph.
    """
    calls, pool = [calls[0] for calls in recorder.layers], recorder.elsewhere[-1:]
    outputs = [call.output for call in [*calls, *pool]]
    with torch.enable_grad():  # also where the caller has switched gradients off
        found = torch.autograd.grad(logits[0, target], outputs, allow_unused=True)
    found = [torch.zeros_like(o) if g is None else g for g, o in zip(found, outputs, strict=True)]
    recorder.layers = [[_settled(call)] for call in calls]
    recorder.elsewhere = [_settled(call) for call in pool]
    return [own(g[0]) for g in found[: len(calls)]], own(found[-1][0]) if pool else None


def _settled(call: Call) -> Call:
    return replace(call, v=own(call.v), output=None)
