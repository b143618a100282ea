"""How the heads of a study are written: shares in per cent, differences that add up with the means beside them."""

from __future__ import annotations

from collections.abc import Iterable

from ..numbers import change, decimals, mean_and_spread, signed
from .sweep import Head

SHARES = ("prefix_share", "sink_share")


def places_of(measure: str, means: Iterable[float | None], differences: Iterable[float | None] = ()) -> int:
    """The decimals of a measure in one list: three digits of its greatest mean, two of its greatest difference."""
    known, apart = ([_in_unit(measure, value) for value in values] for values in (means, differences))
    told = [value for value in apart if value]
    return max(decimals(known), decimals(told) - 1 if told else 0)


def mean_text(measure: str, mean: float | None, spread: float | None, places: int) -> str:
    """ "34.7 ± 1.7", "12.3 ± 0.4 %"."""
    unit = " %" if measure in SHARES else ""
    return mean_and_spread(_in_unit(measure, mean), _in_unit(measure, spread), places) + unit


def difference_text(measure: str, head: Head, places: int) -> str:
    """What lies between a head's mean and that of the head it is compared with, both as they are written."""
    own = _in_unit(measure, head.mean - (head.difference or 0))
    return signed(change(own, _in_unit(measure, head.mean), places), places)


def _in_unit(measure: str, value: float | None) -> float | None:
    return 100 * value if measure in SHARES and value is not None else value
