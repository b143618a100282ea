"""How alike two maps order their patches."""

from __future__ import annotations

import numpy as np


def rank_correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Spearman's rank correlation of two arrays of one shape: 1 the same order, 0 none in common, -1 reversed.

    Pearson's correlation of the ranks, ties given their mean rank. Entries that are NaN in either are left out; NaN
    where one of them is constant or fewer than two are left. Raises ValueError for two shapes.
    """
    one, two = np.asarray(one, np.float64), np.asarray(two, np.float64)
    if one.shape != two.shape:
        raise ValueError(f"The arrays have the shapes {list(one.shape)} and {list(two.shape)}, but one was expected.")
    both = np.isfinite(one) & np.isfinite(two)
    ranks = [_ranks(values[both]) for values in (one, two)]
    centred = [r - r.mean() if r.size else r for r in ranks]
    size = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
    return float((centred[0] * centred[1]).sum() / size) if size > 0 else float("nan")


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]
