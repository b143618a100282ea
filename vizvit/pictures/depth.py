"""Grey values of more than 8 bits as 8 bits: by their range, or from least to greatest where they use little of it."""

from __future__ import annotations

import numpy as np

from ..errors import ImageError

LITTLE = 1 / 4  # of the range: a 12-bit value has a sixteenth of 16 bits, and would be nearly black

Range = tuple[float, float]


def eight_bits(values: np.ndarray) -> tuple[np.ndarray, Range | None]:
    """(uint8, the least and the greatest value where they were made black and white).

    Unsigned integers are 0..65535; other integers 0..255 or 0..65535, floats 0..1 or 0..255, whichever holds them all.
    Values that no such range holds, or that span less than a quarter of it, are stretched from least to greatest.
    Raises ImageError for values that are not numbers.
    """
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ImageError(
            "This picture holds values that are not numbers (NaN or infinity), but brightness was expected. "
            "Replace them, or export the picture as 8-bit PNG."
        )
    kind = values.dtype.kind
    ranges = {"u": (65535,), "f": (1, 255)}.get(kind, (255, 65535))
    full = next((top for top in ranges if low >= 0 and high <= top), None)
    scaled = None if full is not None and (high - low >= LITTLE * full or high == low) else (low, high)
    begin, over = (0, full) if scaled is None else (low, max(high - low, 1e-30))
    if full == 65535:  # by table: eight bytes a pixel would be much for a large picture
        table = (np.arange(65536) - begin) / (over / 255)
        return np.rint(table.clip(0, 255)).astype(np.uint8)[values], scaled
    return np.rint((values - begin) * (255 / over)).astype(np.uint8), scaled
