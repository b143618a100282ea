"""What is looked at, as a dict that Python and the browser share."""

from __future__ import annotations

from collections.abc import Mapping


def fit(selection: Mapping, header: dict) -> dict:
    """A selection that exists in this capture; negative layers count from the end."""
    last = header["num_layers"] - 1
    layer = selection.get("layer", last)
    layer = layer + last + 1 if layer < 0 else layer
    head, token = selection.get("head"), selection.get("token", 0)
    return {
        "layer": int(min(max(layer, 0), last)),
        "head": int(head) if head is not None and 0 <= head < header["num_heads"] else None,
        "token": int(token) if 0 <= token < header["num_tokens"] else 0,
    }
