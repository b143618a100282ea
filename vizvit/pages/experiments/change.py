"""What an experiment changes, and what one forward pass with that change shows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

import vizvit
from vizvit.analysis import attention_map, rollout
from vizvit.analysis.fusion import without_missing
from vizvit.analysis.heads import entropy_from
from vizvit.forward.capture import Capture, capture_view
from vizvit.pages.shared.store import turn
from vizvit.pages.sidebar.choice import Choice
from vizvit.pictures import perturb

Patches = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Change:
    """One change, in the model or in the pixels. Hashable: all sessions share what comes of it.

    interventions: as `vizvit.intervene` takes them. mask: "grey" or "blur", for the patches `masked`.
    """

    interventions: tuple[Hashable, ...] = ()
    mask: str = ""
    masked: Patches = frozenset()


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read off one forward pass.

    view: uint8 [H, W, 3]; predictions [output] as in a Capture; features [dim]: what a model without classes gives,
    None of one with classes; attention and rollout [rows, cols], raw, NaN where there is no such patch; entropy: of the
    last layer's attention from the query, nats, mean over heads (and over the patches, where they are the query).
    """

    view: np.ndarray
    predictions: np.ndarray
    features: np.ndarray | None
    attention: np.ndarray
    rollout: np.ndarray
    entropy: float

    @property
    def nbytes(self) -> int:
        held = (self.view, self.predictions, self.features, self.attention, self.rollout)
        return sum(array.nbytes for array in held if array is not None)


def read_before(choice: Choice, cap: Capture) -> Reading:
    """The picture and the model as they are."""
    return choice.result("experiment", lambda: _reading(cap))


def read_after(choice: Choice, cap: Capture, change: Change, *, heavy: bool = False) -> Reading:
    """With the change made; the model itself is left as it is. heavy: one of many, which let others go first.

    Raises CaptureError where it cannot be made.
    """

    def run() -> Reading:
        mask = {"grey": perturb.grey, "blur": perturb.blur}.get(change.mask)
        view = mask(cap.view, change.masked, cap.grid.patch_size) if mask else cap.view
        with turn(heavy=heavy), vizvit.intervene(choice.vit, *change.interventions) as changed:
            return _reading(capture_view(changed, view))

    return choice.result(("experiment", change), run)


def _reading(cap: Capture) -> Reading:
    attention, flow = (without_missing(heat, cap) for heat in (attention_map(cap), rollout(cap)))
    features = None if cap.vit.labels else cap.features
    return Reading(cap.view, cap.predictions, features, attention, flow, entropy_from(cap))
