"""Names near one that timm does not have, of models that can be shown."""

from __future__ import annotations

import difflib
import re
from functools import cache

import timm

MODULES = (
    "vision_transformer",
    "deit",
    "eva",
    "beit",
    "vision_transformer_relpos",
    "naflexvit",
    "vision_transformer_hybrid",
    "vitamin",
)
# Two attention matrices a block, side by side or subtracted: there is no one matrix to show.
REFUSED = re.compile(r"vit_(base|small)_patch16_18x2_224|vit_d(pwee|wee|little)_patch16_reg1_gap_256")


def near(name: str, count: int = 3) -> list[str]:
    """The likeliest meant: names that begin or go on like it, then names that differ by little, then a small model."""
    known = _known()
    found = [other for other in known if name and name in other]
    found += difflib.get_close_matches(name, known, n=count, cutoff=0.6)
    return list(dict.fromkeys([*found[:count], "vit_tiny_patch16_224"]))[:count]


@cache
def _known() -> tuple[str, ...]:
    every = (name for module in MODULES for name in timm.list_models(module=module))
    return tuple(name for name in every if not REFUSED.fullmatch(name))
