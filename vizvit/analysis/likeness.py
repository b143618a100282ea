"""How alike two vectors are, such as the features of two pictures."""

from __future__ import annotations

import numpy as np


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """The cosine of the angle between two vectors [dim], -1 to 1; NaN where one of them is 0."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else float("nan")
