"""What the explorer shows for a selection, computed by the library."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vizvit.analysis import attention_map, rollout
from vizvit.analysis.fusion import attention_values
from vizvit.forward.capture import Capture


def view_map(cap: Capture, selection: Mapping) -> np.ndarray:
    """The map [rows, cols] that a selection of the explorer shows, raw, as the library computes it."""
    where = query_of(selection)
    if selection.get("rollout"):
        return rollout(cap, head_fusion=selection.get("fuse", "mean"), **where)
    layer, head, fuse = selection.get("layer", -1), selection.get("head"), selection.get("fuse", "mean")
    return attention_map(cap, layer, head=head, head_fusion=fuse, **where)


def head_values(cap: Capture, selection: Mapping) -> np.ndarray:
    """[head, key] of the selection's layer, prefix tokens included; [head, query] for the direction "to"."""
    return attention_values(cap, selection.get("layer", -1), **query_of(selection)).cpu().numpy()


def query_of(selection: Mapping) -> dict:
    """A selection's token or area, and its direction, as the library's functions take them."""
    area = selection.get("area")
    where = {"area": tuple(area)} if area else {"token": selection.get("token", 0)}
    return {**where, "direction": selection.get("direction", "from")}
