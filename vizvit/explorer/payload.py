"""One capture as one `bytes` blob that a browser can read attention from.

Queries and keys travel in half precision. A constant added to every key of a head leaves the softmax as it
is, so the keys are centred by their mean over tokens before rounding, which keeps the error of the scores
small; the mean travels beside them in float32. In the same way each bias row is centred.

A blob is a frame: four magic bytes, the length of a JSON header as a little-endian uint32, the header
padded with blanks to a multiple of 16 bytes, then the body. Offsets in the header count from the start of
the body and are multiples of 16. What the component gets is a second such frame around the first, whose
header holds the small per-session things, so that changing those never encodes the capture again.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps

from vizvit.errors import CaptureError
from vizvit.reading import parsed

BUDGET = 16 * 2**20  # bytes of queries, keys and biases in one blob
# Perceptually uniform and told apart by colour-blind people; the diverging one is for differences.
COLOURS = {"viridis": "viridis", "cividis": "cividis", "inferno": "inferno", "difference": "RdBu_r"}
ALIGNMENT = 16
_MAGIC = b"VZV1"
_LARGEST = 15  # halves are scaled to stay below 2 ** 15; the format ends at 65504


def encode(cap: Any, image: np.ndarray, layers: Sequence[int] | None = None) -> bytes:
    """The blob of `layers` of a capture over the picture that it was made from.

    cap: a Capture: `num_layers`, `num_heads`, `num_tokens`, `grid`, and for each layer `queries`, `keys`
        ([head, token, head_dim]), `scale` and `bias` (None or [head or 1, query, key], -inf allowed).
    image: uint8 [H, W, 3], the pixels that the model sees.
    layers: consecutive layers; without it, those that `window(cap)` names.
    Raises CaptureError for an image of another kind, for queries, keys or biases that are not numbers, and for a
    changed model whose attention does not follow from them on the whole grid.
    """
    if getattr(cap.grid, "order", None) is not None or any(getattr(cap, "silenced", ())):
        raise CaptureError(
            "The explorer shows whole grids and heads that take part, but patches were dropped or shuffled, or heads "
            "knocked out. Read the maps of this capture with vizvit.attention_map and vizvit.rollout."
        )
    image = np.ascontiguousarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise CaptureError(
            f"The explorer draws a uint8 image of shape [H, W, 3] and got {image.dtype} {list(image.shape)}: "
            "pass what VitModel.view returns."
        )
    body = Body()
    header = {
        "capture": fingerprint(cap, image),
        "num_layers": cap.num_layers,
        "num_heads": cap.num_heads,
        "num_tokens": cap.num_tokens,
        "rows": cap.grid.rows,
        "cols": cap.grid.cols,
        "patch_size": cap.grid.patch_size,
        "prefix_names": list(cap.grid.prefix_names),
        "image": {"height": image.shape[0], "width": image.shape[1], "offset": body.add(image)},
        "colours": {name: body.add(colour_map(map_name)) for name, map_name in COLOURS.items()},
        "layers": [_layer(cap, layer, body) for layer in (window(cap) if layers is None else layers)],
    }
    return frame(header, body.bytes())


def window(cap: Any, layer: int | None = None, budget: int = BUDGET) -> range:
    """The consecutive layers to send: `layer` (by default the last) among them, within `budget` bytes.

    All layers where they fit. Otherwise the model is cut into windows of equal length, always at the same
    places, so that people who look at the same capture share the encoded blobs. At least one layer,
    whatever it weighs.
    """
    layer = cap.num_layers - 1 if layer is None else min(max(layer, 0), cap.num_layers - 1)
    queries, bias = cap.queries(0), cap.bias(0)
    size = 2 * (2 * queries.size + (0 if bias is None else bias.size))
    length = max(1, min(cap.num_layers, budget // size))
    first = layer // length * length
    return range(first, min(first + length, cap.num_layers))


def frame(header: dict, body: bytes) -> bytes:
    """A JSON header and a body in one piece; the body starts at a multiple of 16 bytes."""
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % ALIGNMENT)
    return b"".join((_MAGIC, struct.pack("<I", len(text)), text, body))


def read_header(blob: bytes) -> dict:
    """The header of a frame; CaptureError for bytes that are none."""
    try:
        if blob[:4] != _MAGIC:
            raise ValueError
        (length,) = struct.unpack_from("<I", blob, 4)
        header = parsed(blob[8 : 8 + length])
        if not isinstance(header, dict):
            raise ValueError
    except (ValueError, struct.error) as error:
        reason = "These bytes are not an explorer payload: pass what vizvit.explorer.encode returned."
        raise CaptureError(reason) from error
    return header


class Body:
    """Sections one after the other, each at an aligned offset."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, array: np.ndarray) -> int:
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        data += bytes(-len(data) % ALIGNMENT)
        offset = self._size
        self._parts.append(data)
        self._size += len(data)
        return offset

    def bytes(self) -> bytes:
        return b"".join(self._parts)


def _layer(cap: Any, layer: int, body: Body) -> dict:
    queries, keys, bias = cap.queries(layer), cap.keys(layer), cap.bias(layer)  # [head, token, head_dim]
    mean = keys.mean(axis=1, dtype=np.float64).astype(np.float32)  # [head, head_dim]
    section = {
        "layer": layer,
        "head_dim": queries.shape[-1],
        "scale": float(cap.scale(layer)),
        "queries": half(queries, f"queries of layer {layer}", body),
        "keys": half(keys - mean[:, None], f"keys of layer {layer}", body),
        "key_mean": body.add(mean),
        "bias": None,
    }
    if bias is not None:
        section["bias"] = half(_centred_rows(bias), f"bias of layer {layer}", body) | {"heads": bias.shape[0]}
    return section


def half(values: np.ndarray, what: str, body: Body) -> dict:
    """Float16 of values · 2^-exponent; the largest comes just below 2^15: no overflow, few subnormals."""
    finite = values[np.isfinite(values)] if np.isneginf(values).any() else values
    largest = float(np.abs(finite).max(initial=0.0))
    if not np.isfinite(largest):
        raise CaptureError(
            f"The {what} hold NaN or infinity, so there is no attention to show: check the model's weights "
            "and its precision."
        )
    exponent = int(np.frexp(largest)[1]) - _LARGEST if largest else 0
    return {"offset": body.add(np.ldexp(values, -exponent).astype(np.float16)), "exponent": exponent}


def _centred_rows(bias: np.ndarray) -> np.ndarray:
    """Each row less the mean of its finite entries: the same attention, from smaller numbers."""
    finite = np.isfinite(bias)
    count = np.maximum(finite.sum(-1, keepdims=True), 1)
    return bias - np.where(finite, bias, 0).sum(-1, keepdims=True) / count


def colour_map(name: str) -> np.ndarray:
    """A colour map of Matplotlib's as RGBA bytes, [256, 4], so that the browser and the figures agree."""
    return (colormaps[name](np.arange(256)) * 255).round().astype(np.uint8)


def fingerprint(cap: Any, image: np.ndarray) -> str:
    """Equal for two windows of one capture: the layers a browser already holds stay good."""
    digest = hashlib.blake2b(image.tobytes(), digest_size=16)
    last = cap.num_layers - 1
    for array in (cap.queries(last), cap.keys(last)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
