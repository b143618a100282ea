"""What an experiment changes, and what a forward pass with that change shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import vizvit
from vizvit.analysis import attention_map, rollout
from vizvit.analysis.fusion import without_missing
from vizvit.analysis.heads import entropy_from
from vizvit.forward.capture import Capture, capture_view
from vizvit.interventions import Change as Intervention
from vizvit.model.work import Work
from vizvit.pages.shared.store import once, turn
from vizvit.pages.sidebar.choice import MANY, Choice
from vizvit.pictures import perturb

Patches = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Change:
    """One change, in the model or in the pixels. Hashable: all sessions share what comes of it.

    interventions: as `vizvit.intervene` takes them. mask: "grey" or "blur", for the patches `masked`.
    """

    interventions: tuple[Intervention, ...] = ()
    mask: str = ""
    masked: Patches = frozenset()


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read off one forward pass at once; rollout, which takes longer than the pass, comes by itself.

    view: uint8 [H, W, 3]; predictions [output] as in a Capture; features [dim]: what a model without classes gives,
    None of one with classes; attention [rows, cols], raw, NaN where there is no such patch; entropy: of the last
    layer's attention from the query, nats, mean over heads (and over the patches, where they are the query).
    """

    view: np.ndarray
    predictions: np.ndarray
    features: np.ndarray | None
    attention: np.ndarray
    entropy: float

    @property
    def nbytes(self) -> int:
        held = (self.view, self.predictions, self.features, self.attention)
        return sum(array.nbytes for array in held if array is not None)


class Look:
    """The picture through the model, as it is or with a change made: what all sessions have made of it so far, and the
    rest when it is asked for. The model itself is left as it is.

    heavy: one of many, which let others go first.
    """

    def __init__(self, choice: Choice, cap: Capture, change: Change | None = None, *, heavy: bool = False):
        self._choice, self._cap, self.change, self._heavy = choice, cap, change, heavy
        self._changed: Capture | None = cap if change is None else None

    def reading(self) -> Reading:
        """Raises CaptureError where the change cannot be made."""
        return self._once("experiment", _reading)

    def rollout(self) -> np.ndarray:
        """[rows, cols], raw, NaN where there is no such patch."""
        return self._once("experiment rollout", lambda cap: without_missing(rollout(cap), cap))

    def has_reading(self) -> bool:
        return self._choice.has(("experiment", self.change))

    def has_rollout(self) -> bool:
        return self._choice.has(("experiment rollout", self.change))

    def _once(self, name: str, make: Callable[[Capture], Any]) -> Any:
        def run() -> Any:
            with turn(heavy=self._heavy or Work.of(self._choice.vit).attention > MANY):
                return make(self._capture())

        return once((*self._choice.key, (name, self.change)), run)

    def _capture(self) -> Capture:
        """Kept for as long as this is looked at: what is read off it next takes no second pass."""
        if self._changed is None:
            cap, change = self._cap, self.change
            mask = {"grey": perturb.grey, "blur": perturb.blur}.get(change.mask)
            view = mask(cap.view, change.masked, cap.grid.patch_size) if mask else cap.view
            with vizvit.intervene(self._choice.vit, *change.interventions) as changed:
                self._changed = capture_view(changed, view)
        return self._changed


def _reading(cap: Capture) -> Reading:
    features = None if cap.vit.labels else cap.features
    attention = without_missing(attention_map(cap), cap)
    return Reading(cap.view, cap.predictions, features, attention, entropy_from(cap))
