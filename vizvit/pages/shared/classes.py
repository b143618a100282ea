"""Classes with their probabilities, or values: which come first, what to call one, and bars of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np

from vizvit.model.outputs import foremost, written
from vizvit.model.vit import VitModel


def likeliest(vit: VitModel, predictions: np.ndarray, count: int = 5) -> list[int]:
    """The likeliest classes, likeliest first; of a model of values the first ones."""
    return foremost(vit.outputs, predictions, count)


def bars(vit: VitModel, predictions: np.ndarray, shown: Sequence[int], top: float = 1.0) -> str:
    """HTML: a bar for each of the classes `shown`, of full width for the probability `top`; of values the numbers."""
    values = vit.outputs == "value"  # they have no common scale

    def row(index: int) -> str:
        value = predictions[index]
        bar = "<i></i>" if values else f"<b style='width: {100 * value / top:.2f}%'></b>"
        title, name = escape(vit.label(index)), escape(vit.short_label(index))
        return f"<span title='{title}'>{name}</span>{bar}<span>{told(vit, value)}</span>"

    return f'<div class="vz-prob{" values" if values else ""}">{"".join(map(row, shown))}</div>'


def told(vit: VitModel, value: Any) -> str:
    """A prediction as it is written: a probability in per cent, a value as a number."""
    return written(vit.outputs, value)


def class_name(vit: VitModel, index: int) -> str:
    """A class by a short name that no other class has."""
    return unique_names(vit.labels)[index]


@lru_cache(maxsize=32)
def unique_names(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The first of each class's names; with the second one where the first is another class's, too; else its index.

    unique_names(("crane", "maillot", "maillot, tank suit", "crane"))  # crane (0), maillot (1), maillot, tank suit, …
    """
    parts = [label.split(", ") for label in labels]
    times = Counter(part[0] for part in parts)
    names = [part[0] if times[part[0]] == 1 else ", ".join(part[:2]) for part in parts]
    again = Counter(names)
    return tuple(
        name if again[name] == 1 and (times[part[0]] == 1 or len(part) > 1) else f"{name} ({index})"
        for index, (name, part) in enumerate(zip(names, parts, strict=True))
    )


@lru_cache(maxsize=32)
def full_names(labels: tuple[str, ...]) -> tuple[str, ...]:
    """All classes with all their names; those of one name are told apart by their index."""
    counts = Counter(labels)
    return tuple(label if counts[label] == 1 else f"{label} ({index})" for index, label in enumerate(labels))
