"""What a model is made of, in outline: what a picture of the whole network draws, and how much a block adds."""

from __future__ import annotations

from dataclasses import dataclass

from ..forward.anatomy import Anatomy
from ..model import timm_parts


@dataclass(frozen=True)
class Outline:
    """prefix: names of the tokens before the patches. added, rotated, biased: how places come in, each or none of them:
    added to the stream, by turning queries and keys, as a bias on the scores.

    arrangement of the block: "serial", attention and then the MLP, each after a norm; "parallel", both from the same
    input; "other".
    stream: the token's length as it enters the block; attention, mlp: of what each branch adds to it; None where the
    block is not taken apart. read_out as `Head.read_out`.
    """

    prefix: tuple[str, ...]
    added: bool
    rotated: bool
    biased: bool
    arrangement: str
    stream: float
    attention: float | None
    mlp: float | None
    read_out: str


def outline(a: Anatomy, token: int) -> Outline:
    """Of the anatomy's block and one token."""
    block, attention, mlp = a.block, None, None
    if block is not None:
        attention = float((block.after_attention[token] - block.x[token]).norm())
        mlp = float((block.after[token] - block.after_attention[token]).norm())
    parallel = timm_parts.is_parallel(list(a.vit.module.blocks)[a.layer])
    return Outline(
        prefix=a.grid.prefix_names,
        added=a.position is not None,
        rotated=a.vit.rotary_embedding() is not None,
        biased=(block is not None and block.bias is not None) or a.vit.position_kind == "relative",
        arrangement="serial" if block is not None else "parallel" if parallel else "other",
        stream=float(a.streams[a.layer, token].norm()),
        attention=attention,
        mlp=mlp,
        read_out=a.head.pooling,
    )
