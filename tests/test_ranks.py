"""Rank correlation against SciPy's."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from vizvit.analysis.ranks import rank_correlation


@pytest.mark.parametrize("levels", [3, 10, 10**6])
def test_it_is_spearmans(levels):
    draw = np.random.default_rng(levels)
    one, two = draw.integers(0, levels, (2, 8, 9)).astype(np.float32)
    assert rank_correlation(one, two) == pytest.approx(spearmanr(one.ravel(), two.ravel()).statistic, abs=1e-12)


def test_order_alone_counts():
    values = np.random.default_rng(0).random((4, 5))
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)


def test_what_is_missing_is_left_out():
    one, two = np.array([1.0, np.nan, 2, 3, 9]), np.array([5.0, 1, 6, np.nan, 7])
    assert rank_correlation(one, two) == pytest.approx(1)


def test_constants_have_no_order():
    assert np.isnan(rank_correlation(np.ones(4), np.arange(4.0)))
    assert np.isnan(rank_correlation(np.full(4, np.nan), np.arange(4.0)))


def test_two_shapes_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        rank_correlation(np.ones(4), np.ones((2, 2)))
