"""Mean and spread of numbers that come in batches, in memory that does not grow with them.

Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979), in float64.
"""

from __future__ import annotations

import numpy as np


class Moments:
    """Running mean and standard deviation over the first axis of what is added.

    count: how many were added. mean, spread: float64 of the numbers' own shape; NaN before there are enough: spread is
    the standard deviation of a sample, for which two are needed.
    """

    def __init__(self, shape: tuple[int, ...] = ()):
        self.count = 0
        self._mean, self._squares = np.zeros(shape), np.zeros(shape)

    def add(self, values: np.ndarray) -> None:
        """values: [n, *shape]; n may be 0."""
        values = np.asarray(values, np.float64)
        if not len(values):
            return
        mean = values.mean(0)
        total = self.count + len(values)
        apart = mean - self._mean
        self._squares += ((values - mean) ** 2).sum(0) + apart**2 * self.count * len(values) / total
        self._mean += apart * len(values) / total
        self.count = total

    @property
    def mean(self) -> np.ndarray:
        return self._mean if self.count else np.full_like(self._mean, np.nan)

    @property
    def spread(self) -> np.ndarray:
        return np.sqrt(self._squares / (self.count - 1)) if self.count > 1 else np.full_like(self._mean, np.nan)

    @property
    def error(self) -> np.ndarray:
        """The standard error of the mean."""
        return self.spread / np.sqrt(max(self.count, 1))
