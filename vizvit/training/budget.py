"""How long a run lasts, and the learning rate that fits it: by epochs, or by minutes on whatever machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import ModelError


@dataclass(frozen=True)
class Budget:
    """A number of epochs, or of minutes of training in all the sittings of a run.

    start: (step, seconds) at which the schedule begins: zero, or where a finished run was given more, which is a
    warm restart: the schedule anew over what is left, with the weights and the optimiser's state as they are.
    """

    epochs: float | None = None
    minutes: float | None = None
    start: tuple[int, float] = (0, 0.0)

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.minutes is None):
            raise ModelError("Give the budget of a run either in epochs or in minutes.")
        if not (self.epochs or self.minutes or 0) > 0:
            raise ModelError(f"The budget is {self.epochs or self.minutes}, but a number above 0 was expected.")

    def fraction(self, step: int, seconds: float, steps_per_epoch: int) -> float:
        """How much of the budget is used, from 0; 1 and more is the end.

        By epochs this depends on the step alone, so that a run can be repeated bit for bit. By minutes it is the
        time used, however fast the machine is at the moment, so that the rate has come down when time is up.
        """
        if self.epochs is not None:
            start, now, end = self.start[0], step, max(1, round(self.epochs * steps_per_epoch))
        else:
            start, now, end = self.start[1], seconds, 60 * self.minutes
        return 1.0 if end <= start else (now - start) / (end - start)


def rate(fraction: float, *, warmup: float, floor: float) -> float:
    """The learning rate as a share of its peak: linear warm-up, then a cosine down to `floor`."""
    if fraction < warmup:
        return max(fraction / warmup, 0.01)
    along = min(1.0, (fraction - warmup) / max(1e-9, 1 - warmup))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * along))
