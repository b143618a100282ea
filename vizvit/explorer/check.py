"""How far the attention that a browser computes from a blob is from the model's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from vizvit.explorer.payload import read_header

ALL_BELOW = 400  # tokens; with more, only a sample of queries is computed
SAMPLE = 16  # queries a layer


def greatest_difference(cap: Any, blob: bytes) -> dict:
    """{"rows": compared, "of": there are, "worst": greatest difference, as a share of its row's greatest value}.

    cap: the Capture that `blob` was encoded from. A row is what one query attends to in one head of one layer. All are
    compared up to 400 tokens; with more, those of 16 queries a layer, evenly spaced over the sequence.
    """
    header = read_header(blob)
    body = memoryview(blob)[8 + int.from_bytes(blob[4:8], "little") :]
    tokens = header["num_tokens"]
    everything = tokens <= ALL_BELOW
    queries = np.arange(tokens) if everything else np.linspace(0, tokens - 1, SAMPLE).round().astype(int)
    worst = 0.0
    for section in header["layers"]:
        layer = section["layer"]
        own = cap.attention(layer) if everything else _rows(cap, layer, queries)  # [head, query, key]
        difference = np.abs(_from_halves(body, header, section, queries) - own).max(-1)
        worst = max(worst, float((difference / own.max(-1)).max()))
    layers = len(header["layers"]) * header["num_heads"]
    return {"rows": layers * len(queries), "of": layers * tokens, "worst": worst}


def _rows(cap: Any, layer: int, queries: np.ndarray) -> np.ndarray:
    rows = [cap.attention_row(layer, int(query)).cpu().numpy() for query in queries]
    return np.stack(rows, axis=1)


def _from_halves(body: memoryview, header: dict, section: dict, queries: np.ndarray) -> np.ndarray:
    """Attention of these queries from the blob's numbers, float64 [head, query, key]."""
    heads, tokens = header["num_heads"], header["num_tokens"]
    shape = (heads, tokens, section["head_dim"])
    scores = _halves(body, section["queries"], shape)[:, queries] @ _halves(body, section["keys"], shape).swapaxes(1, 2)
    scores *= section["scale"]
    if section["bias"]:
        scores += _halves(body, section["bias"], (section["bias"]["heads"], tokens, tokens))[:, queries]
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def _halves(body: memoryview, place: dict, shape: tuple[int, ...]) -> np.ndarray:
    values = np.frombuffer(body, "<f2", int(np.prod(shape)), place["offset"])
    return np.ldexp(values.astype(np.float64), place["exponent"]).reshape(shape)
