"""What a stage is drawn from: the model's own tensors at the place where one is, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from html import escape

import torch

from vizvit.anatomy import Anatomy, dissect
from vizvit.capture import Capture
from vizvit.pages.choice import Choice
from vizvit.pages.look import still_wanted
from vizvit.pages.naming import token_name
from vizvit.pages.store import turn
from vizvit.pages.walk.maps import photo
from vizvit.pages.walk.place import Place


@dataclass(frozen=True)
class Here:
    """photo: the model's view as a data URL."""

    choice: Choice
    cap: Capture
    anatomy: Anatomy
    place: Place
    photo: str

    @property
    def vit(self):
        return self.choice.vit

    @property
    def grid(self):
        return self.choice.vit.grid

    @property
    def patch(self) -> tuple[int, int] | None:
        """(row, col) of the query; None where it is a prefix token."""
        prefix = self.place.token < self.grid.num_prefix_tokens
        return None if prefix else self.grid.patch(self.place.token)

    @property
    def query(self) -> str:
        """What the query is called, in the middle of a sentence."""
        return token_name(self.cap, self.place.token)

    def label(self, index: int) -> str:
        """The first name of a class, fit for HTML."""
        return escape(self.vit.label(int(index)).split(", ")[0])

    def numbers(self) -> dict[str, object]:
        """This model's numbers and the place, under the names that the lessons and shapes use."""
        row, col = self.place.patch
        return self.anatomy.numbers() | {"head": self.place.head, "row": row, "col": col}


def arrive(choice: Choice, place: Place) -> Here:
    """The model's tensors at this place; one forward pass a layer and picture, for all sessions."""
    cap = choice.capture()

    def run() -> Anatomy:
        with turn(still_wanted()):
            return dissect(choice.vit, cap.view, place.layer)

    anatomy = choice.result(("anatomy", place.layer), run, nbytes)
    return Here(choice, cap, anatomy, place, choice.result("photo", lambda: photo(cap.view), len))


def nbytes(thing: object) -> int:
    """The bytes of all tensors and arrays in a dataclass, each storage counted once."""
    seen: dict[int, int] = {}

    def visit(value: object) -> None:
        if isinstance(value, torch.Tensor):
            seen[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        elif hasattr(value, "nbytes"):
            seen[id(value)] = value.nbytes
        elif type(value).__module__ == "vizvit.anatomy" and is_dataclass(value):
            for field in fields(value):
                visit(getattr(value, field.name))

    visit(thing)
    return sum(seen.values())
