"""What is derived of one recorded attention call: softmax(q kᵀ scale + bias), its gradient, a bias made again."""

from __future__ import annotations

import torch

from ..model.vit import VitModel
from .call import Call
from .recorder import Recorder
from .remade import with_tables


def _additive(mask: torch.Tensor) -> torch.Tensor:
    if mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=torch.float32).masked_fill(~mask, -torch.inf)
    return mask.detach().float().reshape(-1, *mask.shape[-2:])


def softmax_rows(call: Call, rows: slice | torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """float32 [head, query, key] of these queries; bias: [head or 1, query or 1, key], or the model's own mask."""
    scores = torch.matmul(call.q[:, rows].float(), call.k.float().transpose(-2, -1)).mul_(call.scale)
    if bias is not None:
        bias = _additive(bias) if bias.ndim != 3 else bias
        scores += bias[:, rows] if bias.shape[1] > 1 else bias
    weights = scores.softmax(-1)
    if call.silenced:
        weights[list(call.silenced)] = 0
    return weights


def weight_gradient(call: Call, output_gradient: torch.Tensor) -> torch.Tensor:
    """∂y/∂A = (∂y/∂O) Vᵀ, float32 [head, query, key]."""
    return torch.matmul(output_gradient.float(), call.v.float().transpose(-2, -1))


def bias_of(
    vit: VitModel, layer: int, call: Call, extra: tuple | None, tables: dict[str, torch.Tensor]
) -> torch.Tensor:
    """What is added to a layer's scaled scores, float32 [head or 1, query, key].

    The bias does not depend on the picture, so it is made again by running the one block on zeros instead of being
    kept: it would be as large as the attention itself. extra: what the block was called with beside the tokens.
    tables: what it is made from, as they were then.
    """
    bias = call.shared_bias
    if bias is None:
        recorder = Recorder(vit.num_layers, keep_bias=True)
        block = recorder.watch_block(layer, with_tables(list(vit.module.blocks)[layer], tables))
        args, kwargs = extra
        zeros = torch.zeros(1, call.q.shape[1], vit.module.embed_dim, device=vit.device, dtype=vit.dtype)
        with torch.no_grad(), recorder:
            block(zeros, *args, **kwargs)
        bias = recorder.biases[layer]
    return _additive(bias)


def over_tokens(weights: torch.Tensor, tokens: int) -> torch.Tensor:
    """[head, key] -> [head, token]: a pooling head may leave the prefix tokens out; they get 0."""
    return torch.nn.functional.pad(weights, (tokens - weights.shape[-1], 0))
