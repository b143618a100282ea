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

    def survey(self):
        """What `surveyLayer` finds, [layer, head, ...] of each, in float64."""
        attention = np.stack([self.attention(layer) for layer in range(self.num_layers)])
        prefix, received = len(self.grid.prefix_names), attention.mean(2)
        patches = attention[..., prefix:, prefix:]
        places = np.stack(np.divmod(np.arange(self.grid.num_patches), self.grid.cols), -1) * self.grid.patch_size
        distances = np.linalg.norm(places[:, None] - places, axis=-1)
        logs = np.log(attention, where=attention > 0, out=np.zeros_like(attention))
        return {
            "received": received,
            "distance": ((patches * distances).sum(-1) / patches.sum(-1)).mean(-1),
            "entropy": -(attention * logs).sum(-1).mean(-1),
            "prefix_share": attention[..., prefix:, :prefix].sum(-1).mean(-1),
            "sinks": sinks_of_shares(received),
        }


def sinks_of_shares(received, slack=0.0):
    """Which of [..., token] are sinks, by the definition of `vizvit.attention_sinks`; slack moves both borders up."""
    tokens, logs = received.shape[-1], np.log(received)
    centre = np.median(logs, axis=-1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(logs - centre), axis=-1, keepdims=True)
    return (logs > centre + spread * (2 * np.log(tokens)) ** 0.5 + slack) & (received * tokens >= 2 + slack)
