"""How alike two maps order their patches."""

from __future__ import annotations

import numpy as np


def rank_correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Spearman's rank correlation of two arrays of one shape: 1 the same order, 0 none in common, -1 reversed.

    Entries that are NaN in either are left out; NaN where one of them is constant or fewer than two are left. Raises
    ValueError for two shapes.
    """
    from scipy.stats import spearmanr  # slow to import, and most who import this never ask

    one, two = np.asarray(one, np.float64), np.asarray(two, np.float64)
    if one.shape != two.shape:
        raise ValueError(f"The arrays have the shapes {list(one.shape)} and {list(two.shape)}, but one was expected.")
    both = np.isfinite(one) & np.isfinite(two)
    one, two = one[both], two[both]
    if one.size < 2 or np.ptp(one) == 0 or np.ptp(two) == 0:
        return float("nan")
    return float(spearmanr(one, two).statistic)
