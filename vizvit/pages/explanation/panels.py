"""Which maps stand beside each other, and each of them computed once for all sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizvit.capture import Capture, capture_view
from vizvit.explain import METHODS, explain
from vizvit.model import VitModel
from vizvit.pages import language, look
from vizvit.pages.choice import Choice
from vizvit.pages.explanation.classes import class_name
from vizvit.pages.explanation.settings import SHOWN, SPECIFIC, Wanted
from vizvit.pages.store import store, turn
from vizvit.texts import words

OWN = ("gradient_rollout", "relevance", "attention_gradient")  # they share one capture
HEAVY = 2e9  # weights · tokens from which fifty passes there and back take longer than one waits for a page


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


def panels_of(choice: Choice, wanted: Wanted) -> list[Panel]:
    """The maps of a view, in the order of the screen."""
    if wanted.target is None:
        return [Panel(method, method, None) for method in SHOWN if method not in SPECIFIC]
    if wanted.view == "methods":
        return [Panel(method, method, wanted.target if method in SPECIFIC else None) for method in SHOWN]
    if wanted.view == "classes" or wanted.other is None:
        shown = [*wanted.best, *([] if wanted.target in wanted.best else [wanted.target])]
        return [Panel(f"class_{index}", wanted.method, index) for index in shown]
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
    heat = _explained(choice, cap, panel.method, panel.target)
    return heat if panel.other is None else heat - _explained(choice, cap, panel.method, panel.other)


def is_heavy(vit: VitModel, panel: Panel) -> bool:
    """Whether a map takes so long that it is made on demand."""
    tokens = vit.grid.rows * vit.grid.cols + vit.grid.num_prefix_tokens
    return panel.method == "integrated_gradients" and vit.num_parameters * tokens > HEAVY


def _explained(choice: Choice, cap: Capture, method: str, target: int | None) -> np.ndarray:
    def run() -> np.ndarray:
        given = _with_gradients(choice, cap, target) if method in OWN else cap
        with turn(look.still_wanted()):
            return explain(choice.vit, cap.view, method, target=target, capture=given)

    return choice.result(("explain", method, target), run)


def _with_gradients(choice: Choice, cap: Capture, target: int) -> Capture:
    def run() -> Capture:
        with turn(look.still_wanted()):
            return capture_view(choice.vit, cap.view, target)

    key = (*choice.key, "gradients", target)
    return store().captures.get(key, run, lambda found: found.nbytes, look.still_wanted())
