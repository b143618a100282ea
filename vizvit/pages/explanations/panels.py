"""Which maps stand beside each other, and each of them computed once for all sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vizvit.explanations import METHODS, explain
from vizvit.forward.capture import Capture, capture_view
from vizvit.model.vit import VitModel
from vizvit.pages.explanations.asking import by_batches
from vizvit.pages.explanations.settings import SHOWN, SPECIFIC, Wanted
from vizvit.pages.shared import language
from vizvit.pages.shared.classes import class_name
from vizvit.pages.shared.store import once, turn
from vizvit.pages.sidebar.choice import Choice
from vizvit.texts import words


@dataclass(frozen=True)
class Panel:
    """One map. other: the class whose map is taken away from it. name: in a download and among the curves."""

    name: str
    method: str
    target: int | None
    other: int | None = None

    @property
    def signed(self) -> bool:
        return METHODS[self.method].signed or self.other is not None

    @property
    def specific(self) -> bool:
        return METHODS[self.method].needs_target

    @property
    def targets(self) -> tuple[int | None, ...]:
        """The classes whose maps it takes."""
        return (self.target,) if self.other is None else (self.target, self.other)


def panels_of(choice: Choice, wanted: Wanted) -> list[Panel]:
    """The maps of a view, in the order of the screen."""
    if wanted.target is None:
        return [Panel(method, method, None) for method in SHOWN if method not in SPECIFIC]
    if wanted.view == "methods":
        return [Panel(method, method, wanted.target if method in SPECIFIC else None) for method in SHOWN]
    if wanted.view == "classes":
        return [Panel(f"class_{index}", wanted.method, index) for index in wanted.shown]
    this, that = wanted.target, wanted.other
    return [
        Panel(f"class_{this}", wanted.method, this),
        Panel(f"class_{that}", wanted.method, that),
        Panel("contrast", wanted.method, this, that),
    ]


def title_of(vit: VitModel, panel: Panel, wanted: Wanted, lang: str | None = None) -> str:
    """What stands above a map: the method, or the class where the method is one throughout."""
    t = words("explanations", lang or language.current())
    if wanted.view == "methods":
        return t[f"method_{panel.method}"]
    if panel.other is None:
        return class_name(vit, panel.target)
    return t["minus"].format(this=class_name(vit, panel.target), that=class_name(vit, panel.other))


def heat_of(choice: Choice, cap: Capture, panel: Panel) -> np.ndarray:
    """The map, float32 [rows, cols], as `vizvit.explain` and `vizvit.contrast` give it. Raises CaptureError or
    ModelError where there is none."""
    heats = [explained(choice, cap, panel.method, target) for target in panel.targets]
    return heats[0] if len(heats) == 1 else heats[0] - heats[1]


def explained(
    choice: Choice,
    cap: Capture,
    method: str,
    target: int | None,
    tell: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """A method's map for one class. tell: called as (done, total) between the passes of a method that takes many;
    without it, the page only says that something is computed."""

    def run() -> np.ndarray:
        given = _with_gradients(choice, cap, target) if METHODS[method].reads_gradients else cap
        with turn(heavy=True) as mine:
            options = by_batches(choice.vit, method, mine.hand_on, tell)
            return explain(choice.vit, cap.view, method, target=target, capture=given, **options)

    if tell is None:
        return choice.result(_name(method, target), run)
    return once((*choice.key, _name(method, target)), run)


def is_there(choice: Choice, method: str, target: int | None) -> bool:
    """Whether the map has been made before."""
    return choice.has(_name(method, target))


def _name(method: str, target: int | None) -> tuple:
    return "explain", method, target


def _with_gradients(choice: Choice, cap: Capture, target: int) -> Capture:
    make = lambda: capture_view(choice.vit, cap.view, target)  # noqa: E731
    return choice.captured(make, "gradients", target, heavy=True)
