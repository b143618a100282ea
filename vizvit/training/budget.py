"""How long a run lasts, and the learning rate that fits it: by epochs, by minutes, or until it is called off."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..errors import ModelError

WARMUP_STEPS = 500  # of a run with an open end, which has no share to warm up in
DECAY = 0.15  # share of the whole that the last part of such a run takes


@dataclass(frozen=True)
class Budget:
    """A number of epochs, or of minutes of training in all the sittings of a run, or neither.

    start: (step, seconds) at which the schedule begins: zero, or where a finished run was given more, which is a
    warm restart: the schedule anew over what is left, with the weights and the optimiser's state as they are.
    open: no end is known: the rate stays at its peak until the run is called off.
    decay: the steps of the last part of such a run, in which the rate comes down; see `called_off`.
    """

    epochs: float | None = None
    minutes: float | None = None
    start: tuple[int, float] = (0, 0.0)
    open: bool = False
    decay: int | None = None

    def __post_init__(self) -> None:
        if self.open or self.decay is not None:
            return
        if (self.epochs is None) == (self.minutes is None):
            raise ModelError("Give the budget of a run either in epochs or in minutes.")
        if not 0 < (self.epochs or self.minutes or 0) < math.inf:
            raise ModelError(f"The budget is {self.epochs or self.minutes}, but a number above 0 was expected.")

    @property
    def schedule(self) -> str:
        """How the rate goes: "cosine", "constant" (an open end) or "decay" (the last part of one)."""
        return "constant" if self.open else "cosine" if self.decay is None else "decay"

    def called_off(self, step: int, seconds: float) -> Budget:
        """The last part of a run with an open end, from this step on: 15 % of the whole."""
        return Budget(start=(step, seconds), decay=max(1, math.ceil(step * DECAY / (1 - DECAY))))

    def begun(self, step: int, seconds: float) -> Budget:
        """The same budget with its schedule begun here."""
        return replace(self, start=(step, seconds))

    def fraction(self, step: int, seconds: float, steps_per_epoch: float) -> float:
        """How much of the budget is used, from 0; 1 and more is the end. A run with an open end stays at 0.

        By epochs this depends on the step alone, so that a run can be repeated bit for bit. By minutes it is the
        time used, however fast the machine is at the moment, so that the rate has come down when time is up.
        """
        if self.open:
            return 0.0
        if self.decay is not None:
            return (step - self.start[0]) / self.decay
        if self.epochs is not None:
            return _share(self.start[0], step, max(1, math.ceil(self.epochs * steps_per_epoch - 1e-9)))
        return _share(self.start[1], seconds, 60 * self.minutes)

    def rate(self, step: int, fraction: float, *, warmup: float, floor: float) -> float:
        """The learning rate of a step as a share of its peak."""
        if self.open:
            return max(0.01, min(1.0, (step - self.start[0]) / WARMUP_STEPS))
        if self.decay is not None:
            return max(floor, 1 - math.sqrt(fraction))
        return rate(fraction, warmup=warmup, floor=floor)


def rate(fraction: float, *, warmup: float, floor: float) -> float:
    """The learning rate as a share of its peak: linear warm-up, then a cosine down to `floor`."""
    if fraction < warmup:
        return max(fraction / warmup, 0.01)
    along = min(1.0, (fraction - warmup) / max(1e-9, 1 - warmup))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * along))


def _share(start: float, now: float, end: float) -> float:
    return 1.0 if end <= start else (now - start) / (end - start)
