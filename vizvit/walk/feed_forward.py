"""The residual connections and the MLP of a block, for one token (ViT paper, eq. 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..forward.anatomy import Anatomy
from . import formulas
from .formulas import Absent, apart, array, norm, weight


@dataclass(frozen=True, eq=False)
class Mlp:
    """One token on its way through the second half of a block.

    before [D]: the block's input; after_attention [D]: plus what attention wrote; normed [D]; pre [F]: what enters the
    activation; gate [F]: what the activation is multiplied by, or None; hidden [F]: what the second layer reads; out
    [D]: what the MLP writes, layer scale included; after [D]: the block's output.
    activation: "GELU", "GELU (tanh)", "QuickGELU", "SiLU", "ReLU", "SwiGLU", "GEGLU"; top: the units with the greatest
    |hidden|, most active first.
    """

    before: np.ndarray
    after_attention: np.ndarray
    normed: np.ndarray
    pre: np.ndarray
    hidden: np.ndarray
    out: np.ndarray
    after: np.ndarray
    activation: str
    gate: np.ndarray | None
    top: np.ndarray
    difference: float


def mlp(a: Anatomy, token: int, top: int = 10) -> Mlp:
    """Raises Absent for a block of another kind or an unknown activation."""
    if a.block is None or a.parts is None:
        raise Absent("absent_plain_block", model=a.vit.name, layer=a.layer)
    block, parts = a.block, a.parts
    before = block.x[token].double()
    written = (block.attended if block.attended_scaled is None else block.attended_scaled)[token].double()
    after_attention = before + written
    normed = norm(after_attention, parts.norm2)
    pre, gate, hidden, out = formulas.mlp(normed, parts.mlp)
    if parts.scale2 is not None:
        out = out * weight(parts.scale2, out)
    after = after_attention + out
    pairs = [(after_attention, block.after_attention), (normed, block.norm2), (pre, block.hidden_pre)]
    pairs += [(gate, block.gate), (hidden, block.hidden), (after, block.after)]
    pairs += [(out, block.mlp_out if block.mlp_scaled is None else block.mlp_scaled)]
    return Mlp(
        before=array(before),
        after_attention=array(after_attention),
        normed=array(normed),
        pre=array(pre),
        hidden=array(hidden),
        out=array(out),
        after=array(after),
        activation=parts.mlp.name,
        gate=array(gate),
        top=hidden.abs().topk(min(top, len(hidden))).indices.numpy(),
        difference=apart(*((hand, None if model is None else model[token]) for hand, model in pairs)),
    )
