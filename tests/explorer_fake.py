"""A made-up capture for the explorer's tests: a Capture's names over random numbers, and its attention."""

import numpy as np

from vizvit.grid import PatchGrid


class FakeCapture:
    def __init__(self, *, rows=3, cols=4, prefix=("class",), heads=2, layers=3, dim=8, seed=0, bias=None, sizes=(1, 1)):
        """bias: number of heads of an additive bias that also masks a key. sizes: of queries and of keys."""
        rng = np.random.default_rng(seed)
        self.grid = PatchGrid(rows, cols, 4, prefix)
        self.num_layers, self.num_heads, self.num_tokens = layers, heads, self.grid.num_tokens
        shape = (layers, heads, self.num_tokens, dim)
        self._queries = (rng.normal(size=shape) * sizes[0]).astype(np.float32)
        keys = rng.normal(size=shape) + 3 * rng.normal(size=(layers, heads, 1, dim))
        self._keys = (keys * sizes[1]).astype(np.float32)
        self._scale = dim**-0.5 / (sizes[0] * sizes[1])
        self._bias = None
        if bias is not None:
            self._bias = rng.normal(2, 3, size=(layers, bias, self.num_tokens, self.num_tokens)).astype(np.float32)
            self._bias[:, :, 1, 2] = -np.inf
        self.image = rng.integers(0, 256, (rows * 4, cols * 4, 3), dtype=np.uint8)

    def queries(self, layer):
        return self._queries[layer]

    def keys(self, layer):
        return self._keys[layer]

    def scale(self, layer):
        return self._scale

    def bias(self, layer):
        return None if self._bias is None else self._bias[layer]

    def scores(self, layer):
        """q·k before scale and bias, [head, query, key], float64."""
        return self._queries[layer].astype(np.float64) @ self._keys[layer].astype(np.float64).swapaxes(-1, -2)

    def attention(self, layer):
        """[head, query, key], float64."""
        scores = self.scores(layer) * self._scale + (0 if self._bias is None else self._bias[layer])
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return weights / weights.sum(-1, keepdims=True)
