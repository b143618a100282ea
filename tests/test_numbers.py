"""Numbers are written alike everywhere, and what is written beside each other agrees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizvit.numbers import (
    change,
    decimals,
    fixed,
    mean_and_spread,
    megabytes,
    number,
    percent_of,
    rounding,
    share,
    signed,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (-0.0, "0"),
        (0.12345, "0.123"),
        (-3.14159, "−3.14"),
        (99.96, "100"),
        (0.000123, "0.000123"),
        (2.4e-6, "2.4 × 10⁻⁶"),
        (-1.2345e-12, "−1.23 × 10⁻¹²"),
        (999.7, "1,000"),
        (-1234.4, "−1,234"),
        (1.5e7, "1.5 × 10⁷"),
        (np.float32(0.1), "0.1"),
    ],
)
def test_a_number(value, written):
    assert number(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0 %"), (1, "100.0 %"), (0.612, "61.2 %"), (0.001, "0.1 %"), (0.00034, "0.034 %"), (1.23e-9, "1.2 × 10⁻⁷ %")],
)
def test_a_share_is_told_from_nothing(value, written):
    assert share(value) == share(np.float64(value)) == written


def test_a_share_at_a_scale_has_three_digits():
    assert [percent_of(value) for value in (0, 0.0171, 0.00626, -0.5, 2e-7)] == [
        "0 %",
        "1.71 %",
        "0.626 %",
        "−50 %",
        "2 × 10⁻⁵ %",
    ]


def test_a_share_in_whole_per_cents():
    assert [share(value, 0) for value in (0, 0.2, 0.95, 0.004)] == ["0 %", "20 %", "95 %", "0.4 %"]


def test_a_difference_that_may_be_rounding():
    assert [rounding(value) for value in (0, 3.61e-7, 9.99e-4, 1e-3, 0.5)] == [
        "0",
        "3.6 × 10⁻⁷",
        "1 × 10⁻³",
        "0.001",
        "0.5",
    ]


def test_changes_have_a_sign_and_none_has_none():
    assert [signed(value, 2) for value in (1.234, -1.234, 0.004, -0.004)] == ["+1.23", "−1.23", "0.00", "0.00"]
    assert [fixed(value, 1) for value in (None, float("nan"), -0.04, 1234.56)] == ["–", "–", "0.0", "1,234.6"]


@given(st.floats(0, 100), st.floats(0, 100), st.integers(0, 4))
def test_a_change_adds_up_with_what_stands_beside_it(before, after, places):
    written = [
        float(text.replace("−", "-")) for text in (fixed(before, places), signed(change(before, after, places), places))
    ]
    assert f"{sum(written):.{places}f}" == fixed(after, places)


def test_numbers_of_a_column_have_the_same_decimals():
    columns = [34.7, 0.01], [3.2], [0.2, 0.031], [812], [0.0], [None, 2.0], [0.3, -12.0]
    assert [decimals(values) for values in columns] == [1, 2, 3, 0, 2, 2, 1]
    assert mean_and_spread(32.94, 0.284, 1) == "32.9 ± 0.3"
    assert (mean_and_spread(3.0, None, 2), mean_and_spread(None, None, 2)) == ("3.00", "–")
    assert mean_and_spread(3.0, float("nan"), 1) == "3.0"


def test_what_is_no_number_has_no_share():
    assert share(float("nan")) == "–"
    assert [number(value) for value in (float("nan"), float("-inf"))] == ["nan", "−inf"]
    assert rounding(float("nan")) == "nan"


def test_bytes_in_megabytes():
    assert megabytes(1_234_567_890) == "1,235"
