"""A changed twin of a model, for as long as a `with` lasts or somebody holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar, Protocol

from ..errors import CaptureError
from ..model.given import checked_model
from ..model.vit import VitModel
from .draft import Draft


class Change(Protocol):
    """One intervention: a frozen dataclass of its parameters, which works itself into a draft.

    Changes of a lower stage come first, so that the order in which they are given does not matter; two of one kind are
    applied in the order given.
    """

    stage: ClassVar[int]

    def apply(self, draft: Draft) -> None: ...


@contextmanager
def intervene(vit: VitModel, *changes: Change) -> Iterator[VitModel]:
    """A VitModel with these changes, that `capture` and everything else takes like any other.

    The changed model shares its weights with the original, of which nothing is touched, not even by an exception in
    the block; other threads may use both. Captures made of it stay valid after the block. Interventions nest: those of
    a changed model are kept, and the new ones are added.

    Raises CaptureError, in one sentence, for a change that this model cannot have: `intervene` is the place, save where
    only the forward pass can tell.
    """
    checked_model(vit)
    before, earlier = getattr(vit.module, "vizvit_changes", (vit, ()))
    yield _changed(before, (*earlier, *changes))


def _changed(vit: VitModel, changes: tuple[Change, ...]) -> VitModel:
    for change in changes:
        if not hasattr(change, "apply"):
            raise CaptureError(f"{change!r} is no change. Choose from vizvit.interventions, such as Temperature(2).")
    draft = Draft(vit)
    for change in sorted(changes, key=lambda change: change.stage):
        change.apply(draft)
    module = draft.finish()
    module.vizvit_changes = (vit, changes)
    names = ", ".join(dict.fromkeys(type(change).__name__ for change in changes))
    weights = f"{vit.weights}, changed: {names}" if names else vit.weights
    return replace(vit, module=module, grid=draft.grid, weights=weights)
