"""Which values a map's colours run between, and where a value lies there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

LEAST = 1e-4  # the lower end of a logarithmic scale, as a share of its upper end
EVEN = 1.5  # times its mean: what a scale reaches at least, so that what is alike everywhere looks even, not bright
MODES = ("own", "absolute", "percentile")


def limits(
    heat: np.ndarray,
    mode: str = "own",
    *,
    log: bool = False,
    others: Iterable[np.ndarray] | None = None,
) -> tuple[float, float]:
    """The values (low, high) that a map's colours run between, as the explorer chooses them.

    heat: any shape, raw non-negative values. mode: "own", from 0 to its greatest value, and to 1.5 times its mean at
    least: what is nearly even everywhere has no colours to pretend otherwise; "absolute", from 0 to 1; "percentile",
    from its 1st to its 99th percentile, which a map without any spread has not. others: maps that share the scale.
    log: a logarithmic scale cannot begin at 0. It begins at the least positive value, at the mean / 1.5 at most, or at
    a 10,000th of the upper limit if that is more; "absolute" at 1e-4.
    Raises ValueError for values that are negative or not finite and for another mode.
    """
    values = np.concatenate([_values(part) for part in (heat, *(others or ()))])
    if mode not in MODES:
        raise ValueError(f"The mode is {mode!r}, but one of {', '.join(MODES)} was expected.")
    if mode == "absolute":
        return (LEAST if log else 0.0), 1.0
    low, high = 0.0, top_of(values)
    if mode == "percentile":
        first, last = (float(value) for value in np.percentile(values, (1, 99)))
        if first < last:
            low, high = first, last
    if log:
        least = float(values[values > 0].min()) if values.any() else 0.0
        low = max(low or min(least, float(values.mean(dtype=np.float64)) / EVEN), LEAST * high)
    return low, high


def top_of(values: np.ndarray) -> float:
    """The upper end of a map's own scale: its greatest value, 1.5 times its mean at least; 1 for zeros."""
    return max(float(values.max()), EVEN * float(values.mean(dtype=np.float64))) or 1.0


def ends(heat: np.ndarray, low: float | None, high: float | None, log: bool) -> tuple[float, float]:
    """The limits given, those of `limits(heat, log=log)` for the others; 0 counts as none below a logarithm.

    Raises ValueError where they are out of order.
    """
    for name, value in (("low", low), ("vmax", high)):
        if value is not None and not 0 <= value < np.inf:
            raise ValueError(f"{name} is {value}, but a number from 0 up was expected.")
    own_low, own_high = limits(heat, log=log)
    top = own_high if high is None else high or 1.0
    bottom = low or (0.0 if not log else own_low if own_low < top else LEAST * top)
    if not bottom < top:
        raise ValueError(f"The colours run from {bottom:g} to {top:g}, but a lower and an upper limit were expected.")
    return bottom, top


def between(values: np.ndarray, low: float, high: float, log: bool) -> np.ndarray:
    """Where values lie between the limits, 0 to 1; outside them below 0 and above 1."""
    if log:
        return np.log(np.maximum(values, low) / low) / np.log(high / low)
    return (values - low) / (high - low) if low else values / high


def _values(part: np.ndarray) -> np.ndarray:
    values = np.asarray(part, dtype=np.float32).ravel()
    if not values.size or not np.isfinite(values).all() or values.min() < 0:
        raise ValueError(f"Got {values.size} values, but raw non-negative attention, finite, was expected.")
    return values
