"""What the curves follow: the probability, or the value, of the class in question, of each map's own, or of one class
against another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vizvit.faithful import Curves, RandomCurves
from vizvit.faithful.curves import areas
from vizvit.pages.explanations.settings import Wanted


def classes_of(wanted: Wanted) -> tuple[int, ...]:
    """The classes whose probabilities are read off each forward pass."""
    if wanted.view == "classes":
        return wanted.shown
    return (wanted.target,) if wanted.other is None else (wanted.target, wanted.other)


def followed(values: np.ndarray, wanted: Wanted, target: int | None) -> np.ndarray:
    """[…, class, S+1] -> […, S+1]: one class's probability, or, in the contrast, its share of both classes'.

    target: the class that a map is of; None is the class in question.
    """
    if wanted.other is not None:
        tiny = np.finfo(np.float32).tiny  # two probabilities of 0 are even
        return (values[..., 0, :] + tiny) / (values.sum(-2) + 2 * tiny)
    classes = classes_of(wanted)
    return values[..., classes.index(wanted.target if target is None else target), :]


def curves_of(sides: np.ndarray, fractions: np.ndarray, target: int, fill: str, outputs: str) -> Curves:
    """sides: [2, S+1]."""
    deletion, insertion = sides
    return Curves(fractions, deletion, insertion, target, fill, outputs)


def chance_of(sides: Sequence[np.ndarray], fractions: np.ndarray, target: int, fill: str, outputs: str) -> RandomCurves:
    """sides: [2, S+1] for each seed."""
    deletion, insertion = np.stack(sides, axis=1)
    found = [areas(fractions, one, other, outputs) for one, other in sides]
    below, above = np.array(found, np.float32).T  # [seed] each
    return RandomCurves(fractions, deletion, insertion, below, above, target=target, fill=fill, outputs=outputs)
