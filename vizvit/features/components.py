"""Principal components of token vectors, and one order and sign for those of several layers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def principal_components(vectors: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The first n principal components of centred vectors: (scores [vector, n], shares [n]), float64.

    vectors: [vector, dim]. scores: each vector's coordinates along the components, the largest variance first; the
    greatest of a component in magnitude is positive. shares: of all variance, 0 to 1. n is at most the lesser of both
    lengths of `vectors`; components without variance have scores of 0.
    """
    from scipy.linalg import eigh  # slow to import, and most who import this never ask

    vectors = np.asarray(vectors, np.float64)
    centred = vectors - vectors.mean(0)
    count, dim = centred.shape
    few = count <= dim  # the smaller of the two products has the same eigenvalues
    product = centred @ centred.T if few else centred.T @ centred
    size = len(product)
    values, axes = eigh(product, subset_by_index=(size - n, size - 1))
    values, axes = values[::-1].clip(min=0), axes[:, ::-1]
    total = float(np.trace(product))
    values = np.where(values > 1e-12 * total, values, 0)
    scores = axes * np.sqrt(values) if few else (centred @ axes) * (values > 0)
    greatest = scores[np.abs(scores).argmax(0), np.arange(n)]
    return scores * np.where(greatest < 0, -1, 1), values / total if total else values


def aligned(scores: np.ndarray, like: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The order and signs that make components most like others': (order [n], signs [n]).

    scores, like: [vector, n] of the same vectors, each component with a mean of 0. scores[:, order] * signs is as like
    as can be: the sum of the correlations of each with its counterpart is the greatest.
    """
    from scipy.optimize import linear_sum_assignment

    lengths = [np.linalg.norm(part, axis=0) for part in (like, scores)]
    between = like.T @ scores / np.maximum(np.outer(*lengths), np.finfo(np.float64).tiny)  # [like, scores]
    rows, order = linear_sum_assignment(-np.abs(between))
    return order, np.where(between[rows, order] < 0, -1.0, 1.0)


def chain(layers: Iterable[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """`principal_components` of each layer, in the order and with the signs that are most like the one before's.

    layers: [vector, dim] of the same vectors in turn; the first keeps its own order. Returns scores [layer, vector, n]
    and shares [layer, n], float64.
    """
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for vectors in layers:
        scores, shares = principal_components(vectors, n)
        if found:
            order, signs = aligned(scores, found[-1][0])
            scores, shares = scores[:, order] * signs, shares[order]
        found.append((scores, shares))
    return np.stack([scores for scores, _ in found]), np.stack([shares for _, shares in found])
