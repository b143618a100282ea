"""How numbers are written: in figures, in the pages and beside them."""

from __future__ import annotations


def number(value: float) -> str:
    """Three digits, with a real minus sign and none before zero."""
    return f"{value + 0.0:.3g}".replace("-", "−")
