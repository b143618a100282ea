"""What a stage is drawn from: the model's own tensors at the place where one is, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from vizvit.explorer.walk.parts import DRAWING
from vizvit.forward.anatomy import Anatomy, dissect
from vizvit.forward.capture import Capture
from vizvit.grid import PatchGrid
from vizvit.model.vit import VitModel
from vizvit.pages.shared import look
from vizvit.pages.shared.names import token_name
from vizvit.pages.shared.store import turn
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.walkthrough.maps import photo
from vizvit.pages.walkthrough.place import Place
from vizvit.pages.walkthrough.surface import Surface


@dataclass(frozen=True)
class Here:
    """photo: the model's view as a data URL."""

    choice: Choice
    cap: Capture
    anatomy: Anatomy
    place: Place
    photo: str
    surface: Surface

    def show(self, name: str, *parts: str) -> None:
        """Put HTML here as one drawing; `name` is its own within the stage."""
        data = {"html": "".join(parts), "theme": look.theme()}
        self.surface.live(DRAWING, f"walk_drawing_{name}", data)

    @property
    def vit(self) -> VitModel:
        return self.choice.vit

    @property
    def grid(self) -> PatchGrid:
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
        return escape(self.vit.short_label(int(index)))

    def numbers(self) -> dict[str, int | str]:
        """This model's numbers and the place, under the names that the lessons and shapes use."""
        row, col = self.place.patch
        return self.anatomy.numbers() | {"head": self.place.head, "row": row, "col": col}


def arrive(choice: Choice, place: Place, surface: Surface) -> Here:
    """The model's tensors at this place; one forward pass a layer and picture, for all sessions."""
    cap = choice.capture()

    def run() -> Anatomy:
        with turn():
            return dissect(choice.vit, cap.view, place.layer)

    anatomy = choice.result(("anatomy", place.layer), run)
    return Here(choice, cap, anatomy, place, choice.result("photo", lambda: photo(cap.view), len), surface)
