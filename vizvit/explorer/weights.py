"""A model's weights as one `bytes` blob that a page can run them from.

A frame as in `payload`: its header names each array with its place; the body holds them in half precision where that
keeps every number as it is, and in single precision where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vizvit.explorer.payload import Body, frame


def encode_weights(model: Mapping, tensors: Mapping[str, np.ndarray], *, rounded: bool = False) -> bytes:
    """model: the description, plain values. tensors: name -> float32. rounded: all in half precision, come what may."""
    body, places = Body(), {}
    for name, values in tensors.items():
        half = values.astype(np.float16)
        exact = bool((half.astype(np.float32) == values).all())
        places[name] = {"offset": body.add(half if exact or rounded else values), "count": values.size}
        places[name]["half"] = exact or rounded
    return frame({"model": dict(model), "tensors": places}, body.bytes())


def is_exact(tensors: Mapping[str, np.ndarray]) -> bool:
    """Whether half precision holds every number as it is."""
    return all(bool((values.astype(np.float16).astype(np.float32) == values).all()) for values in tensors.values())
