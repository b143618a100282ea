"""Token vectors, their components and norms as one `bytes` blob that a browser can look at features with.

The browser needs cosines between any two tokens of a layer, and between tokens of two pictures: the vectors, one long,
travel as their mean over the tokens and what is left in 8 bits a number, each dimension with a step of its own. That
keeps a cosine within a few thousandths (`greatest_cosine_difference` tells how far) and takes a quarter of what the
queries and keys of a layer take. Components (half precision) and norms (float32) of all layers come along each time:
they are small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vizvit.explorer.payload import Body, fingerprint, frame, half
from vizvit.features import chain, high_population, unit_vectors

BUDGET = 4 * 2**20  # bytes of vectors in one blob
COMPONENTS = 3
SAMPLE = 64  # tokens a layer whose cosines with all others are compared


def encode_features(cap: Any, layers: Sequence[int] | None = None, other: Any = None) -> bytes:
    """The blob of a capture's features: the vectors of `layers`, components and norms of all layers.

    layers: without it, those that `feature_window(cap)` names; may be none. other: the capture that it is compared
    with, of the same model: the components are then those of the patches of both, on one scale of colours.
    Raises CaptureError where the capture's tokens cannot be had, and for numbers that are NaN or infinite.
    """
    body, prefix = Body(), cap.grid.num_prefix_tokens
    norms = cap.norms()  # [layer + 1, token]
    starts = high_population(norms[1:, prefix:])
    count = min(COMPONENTS, cap.grid.num_patches)
    last_first = reversed(range(cap.num_layers))
    both = [cap] if other is None else [cap, other]
    scores, shares = chain(
        (np.concatenate([one.tokens(layer)[prefix:] for one in both]) for layer in last_first), count
    )
    ends = np.percentile(scores[::-1], (1, 99), axis=1)  # [end, layer, component]
    scores = scores[:, : cap.num_tokens - prefix]
    header = {
        "capture": fingerprint(cap, cap.view),
        "compared": None if other is None else fingerprint(other, other.view),
        "dim": int(cap.tokens(-1).shape[-1]),
        "norms": body.add(norms),
        "thresholds": [None if np.isnan(start) else float(start) for start in starts],
        "components": half(scores[::-1], "components", body) | {"count": count},  # [layer, patch, component]
        "ends": np.moveaxis(ends, 0, -1).tolist(),  # [layer][component] of what its colours run between
        "shares": shares[::-1].round(6).tolist(),
        "layers": [_vectors(cap, layer, body) for layer in (feature_window(cap) if layers is None else layers)],
    }
    return frame(header, body.bytes())


def feature_window(cap: Any, layer: int | None = None, budget: int = BUDGET) -> range:
    """The consecutive layers whose vectors to send, `layer` (by default the last) among them, within `budget` bytes."""
    layer = cap.num_layers - 1 if layer is None else min(max(layer, 0), cap.num_layers - 1)
    length = max(1, min(cap.num_layers, budget // (cap.num_tokens * cap.num_heads * cap.head_dim)))
    last = cap.num_layers - 1 - (cap.num_layers - 1 - layer) // length * length  # counted from the last layer back
    return range(max(0, last - length + 1), last + 1)


def greatest_cosine_difference(cap: Any, layers: Sequence[int]) -> float:
    """How far a cosine that the browser computes is from the model's own at most.

    Of all pairs where there are few tokens; of more, of 64 tokens a layer, evenly spaced, with all others.
    """
    some = np.unique(np.linspace(0, cap.num_tokens - 1, SAMPLE).round().astype(int))
    worst = 0.0
    for layer in layers:
        vectors = unit_vectors(cap.tokens(layer))
        sent = _sent(*_coded(vectors))
        worst = max(worst, float(np.abs(sent[some] @ sent.T - vectors[some] @ vectors.T).max()))
    return worst


def _vectors(cap: Any, layer: int, body: Body) -> dict:
    mean, step, codes = _coded(unit_vectors(cap.tokens(layer)))
    return {"layer": layer, "mean": body.add(mean), "step": body.add(step), "codes": body.add(codes)}


def _coded(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """float32 [dim], float32 [dim], int8 [token, dim]: about mean + step · code."""
    mean = vectors.mean(0).astype(np.float32)
    apart = vectors - mean
    step = (np.abs(apart).max(0) / 127).astype(np.float32)
    codes = np.rint(apart / np.where(step > 0, step, 1)).clip(-127, 127)
    return mean, step, codes.astype(np.int8)


def _sent(mean: np.ndarray, step: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return mean.astype(np.float64) + step.astype(np.float64) * codes
