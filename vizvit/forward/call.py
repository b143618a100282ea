"""One attention call, and what of its tensors is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Call:
    """One attention call: q [head, query, dim], k [head, key, dim], and what autograd needs where asked for."""

    q: torch.Tensor
    k: torch.Tensor
    scale: float
    has_bias: bool
    shared_bias: torch.Tensor | None = None  # a bias that was handed to the block, not made in it
    v: torch.Tensor | None = None
    output: torch.Tensor | None = None  # in the graph, until its gradient is taken
    silenced: tuple[int, ...] = ()  # heads whose output an intervention keeps from the residual stream


def norms_of(vectors: torch.Tensor) -> torch.Tensor:
    """The L2 norms of vectors [..., dim], float32 [...]."""
    wide = torch.promote_types(vectors.dtype, torch.float32)  # half precision overflows in the sum of squares
    return torch.linalg.vector_norm(vectors.detach(), dim=-1, dtype=wide).float()


def longest(vectors: torch.Tensor) -> torch.Tensor:
    """The L2 norm of the longest of vectors [..., token, dim], float32 [...]; not finite where one is not."""
    return norms_of(vectors).amax(-1)


def lengths_of(calls: Sequence[Call], together: torch.Tensor | None = None) -> list[list[list[float]]]:
    """Of each head's longest query and longest key, [layer, q | k, head].

    together: all of them, where they lie in one tensor [layer, q | k, head, token, dim], which takes less steps.
    """
    if together is None:
        return [[longest(call.q).tolist(), longest(call.k).tolist()] for call in calls]
    return longest(together).tolist()


def nbytes_of(calls: list[Call]) -> int:
    """Bytes that recorded calls hold; a bias that several share counts once."""
    own = [tensor for call in calls for tensor in (call.q, call.k, call.v) if tensor is not None]
    shared = {id(call.shared_bias): call.shared_bias for call in calls if call.shared_bias is not None}
    return sum(tensor.nbytes for tensor in (*own, *shared.values()))


def are_of_one(*tensors: torch.Tensor) -> bool:
    """Whether they lie in one piece of memory, and nothing besides."""
    memory = tensors[0].untyped_storage()
    of_one = all(tensor.untyped_storage().data_ptr() == memory.data_ptr() for tensor in tensors)
    return of_one and memory.nbytes() <= sum(tensor.nbytes for tensor in tensors)


def own(tensor: torch.Tensor) -> torch.Tensor:
    # q and k are often views of one qkv tensor: kept as they are, v would be kept with them.
    tensor = tensor.detach()
    return tensor.clone() if tensor.untyped_storage().nbytes() > tensor.nbytes else tensor
