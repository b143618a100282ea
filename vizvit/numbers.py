"""How numbers are written on pages, in figures and on the command line: "3.4 %", "−0.12", "2.4 × 10⁻⁶", "1,000"."""

from __future__ import annotations

import math
from collections.abc import Iterable

NONE = "–"  # what stands where there is no number
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Three digits; of 1,000 and more all whole ones, of the very small and very large a power of ten."""
    size = abs(value)
    if not math.isfinite(value) or 1e-4 <= size < 999.5 or not size:
        return _written(f"{value + 0.0:.3g}")
    return _written(f"{value:,.0f}") if 999.5 <= size < 1e6 else power(value, 3)


def power(value: float, digits: int = 2) -> str:
    """At most so many digits times a power of ten; 0 is 0."""
    if not value or not math.isfinite(value):
        return _written(f"{value + 0.0:g}")
    factor, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return _written(f"{float(factor):g} × 10{str(int(exponent)).translate(_RAISED)}")


def rounding(value: float) -> str:
    """A difference that may be rounding alone: below a thousandth as a power of ten."""
    return power(value) if abs(value) < 1e-3 else number(value)


def fixed(value: float | None, decimals: int) -> str:
    """With so many decimals; a dash for none and for NaN."""
    return NONE if value is None or math.isnan(value) else _written(f"{round(value, decimals) + 0.0:,.{decimals}f}")


def signed(value: float, decimals: int) -> str:
    """A change, with its sign and so many decimals; no sign where it rounds to none."""
    sign = "+" if round(value, decimals) > 0 else ""
    return sign + fixed(value, decimals)


def change(before: float, after: float, decimals: int) -> float:
    """What lies between two numbers as they are written with so many decimals, so that the three agree."""
    return round(round(after, decimals) - round(before, decimals), decimals)


def share(value: float, decimals: int = 1) -> str:
    """A share in per cent; one that so few decimals would not tell from nothing has as many as it takes."""
    percent = 100 * float(value)
    if math.isnan(percent):
        return NONE
    told = not percent or abs(percent) >= 10**-decimals
    return f"{fixed(percent, decimals if percent else 0) if told else _few(percent)} %"


def percent_of(value: float) -> str:
    """A share in per cent with three digits, whatever its size: at the ends of a scale."""
    return f"{number(100 * float(value))} %"


def thousands(value: int) -> str:
    return f"{value:,}"


def megabytes(count: int) -> str:
    """Of so many bytes, in whole megabytes."""
    return f"{count / 1e6:,.0f}"


def decimals(values: Iterable[float | None]) -> int:
    """How many decimals all numbers of a column have, so that the greatest of them shows three digits."""
    known = [abs(value) for value in values if value is not None and math.isfinite(value)]
    greatest = max(known, default=0)
    return min(max(2 - math.floor(math.log10(greatest)), 0), 6) if greatest else 2


def mean_and_spread(mean: float | None, spread: float | None, places: int) -> str:
    """ "34.7 ± 1.7", both with so many decimals; the mean alone where no spread is known."""
    known = mean is not None and spread is not None and math.isfinite(spread)
    return fixed(mean, places) + (f" ± {fixed(spread, places)}" if known else "")


def _few(value: float) -> str:
    return _written(f"{value:.2g}") if abs(value) >= 1e-4 else power(value)


def _written(text: str) -> str:
    """With a true minus sign."""
    return text.replace("-", "−")
