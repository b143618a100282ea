"""The sequence that enters the blocks: prefix tokens before the patches, positions added (ViT paper, eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..forward.anatomy import Anatomy
from .formulas import Absent, apart, array


@dataclass(frozen=True, eq=False)
class Prefix:
    """names: of the prefix tokens in the sequence's order; vectors [n, D]: learned, the same for every picture.

    difference: of vectors plus positions from the first rows of the model's own sequence.
    """

    names: tuple[str, ...]
    vectors: np.ndarray
    difference: float


@dataclass(frozen=True, eq=False)
class Position:
    """before, after [T, D]: the sequence without and with positions; embedding [T, D]: what is added, or None.

    similarity [rows, cols]: of the token's position to each patch's, or None for a token that has none:
    similarity_of: "embedding": cosine of the added vectors; "rotation": mean cosine of the angle between the two
    places' rotations; "bias": what is added to the token's scores in this block, mean over heads.
    rotation [rows, cols]: the same for the rotation wherever the model rotates, also beside added embeddings; or None.
    kind: "learned", "fixed", "rotary", "relative", "none", as `VitModel.position_kind`.
    difference: of before + embedding from the model's z0.
    """

    before: np.ndarray
    embedding: np.ndarray | None
    after: np.ndarray
    similarity: np.ndarray | None
    similarity_of: str | None
    rotation: np.ndarray | None
    kind: str
    difference: float


def prefix(a: Anatomy) -> Prefix:
    """Raises Absent for a model whose sequence has patches only."""
    count = a.grid.num_prefix_tokens
    if not count or len(a.prefix) != count:
        raise Absent("absent_prefix", model=a.vit.name, read_out=a.head.pooling)
    vectors = a.prefix.double()
    placed = vectors if a.position is None else vectors + a.position[:count]
    return Prefix(a.grid.prefix_names, array(vectors), apart((placed, a.z0[:count])))


def position(a: Anatomy, token: int) -> Position:
    """Raises Absent for a model that does not know where a patch is, or adds positions in a way of its own."""
    kind = a.vit.position_kind
    if kind == "none":
        raise Absent("absent_position", model=a.vit.name)
    if a.embedded is None or (a.position is None and kind in ("learned", "fixed")):
        raise Absent("absent_position_table", model=a.vit.name)
    before = torch.cat([a.prefix, a.embedded]).double()
    after = before if a.position is None else before + a.position
    rotation = _rotation(a, token)
    known = {"embedding": _added(a, token), "rotation": rotation, "bias": _bias(a, token)}
    what = next((name for name, found in known.items() if found is not None), None)
    return Position(
        before=array(before),
        embedding=array(a.position),
        after=array(after),
        similarity=array(known.get(what)),
        similarity_of=what,
        rotation=array(rotation),
        kind=kind,
        difference=apart((after, a.z0)),
    )


def _added(a: Anatomy, token: int) -> torch.Tensor | None:
    if a.position is None or not a.position[token].any():
        return None
    table = a.position.double()
    unit = table / table.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return _on_grid(a, unit[a.grid.num_prefix_tokens :] @ unit[token])


def _rotation(a: Anatomy, token: int) -> torch.Tensor | None:
    place = token - a.grid.num_prefix_tokens
    angles = a.vit.rotary_embedding()
    if angles is None or place < 0:
        return None
    sine, cosine = torch.from_numpy(angles).double().flatten(1, 2)  # [N, d]
    return _on_grid(a, (sine @ sine[place] + cosine @ cosine[place]) / sine.shape[-1])


def _bias(a: Anatomy, token: int) -> torch.Tensor | None:
    if a.block is None or a.block.bias is None:
        return None
    rows = a.block.bias.mean(0)
    return _on_grid(a, rows[min(token, len(rows) - 1), a.grid.num_prefix_tokens :])


def _on_grid(a: Anatomy, values: torch.Tensor) -> torch.Tensor:
    return values.reshape(a.grid.rows, a.grid.cols)
