"""Token vectors made one long, so that their products are cosines."""

from __future__ import annotations

import numpy as np


def unit_vectors(tokens: np.ndarray) -> np.ndarray:
    """[..., dim] divided by its L2 norm, float64; a vector of zeros stays one, whose cosine with all is 0."""
    vectors = np.asarray(tokens, np.float64)
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)
