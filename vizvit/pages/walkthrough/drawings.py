"""Each stage is drawn by the file of its name in this folder."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from vizvit.pages.shared.language import named_or_own, say
from vizvit.pages.walkthrough.scene import Here
from vizvit.pages.walkthrough.steer import controls
from vizvit.walk import Absent
from vizvit.walk.stages import STAGES, Stage

_DRAWINGS: dict[str, ModuleType] = {stage.name: import_module(f"{__package__}.{stage.name}") for stage in STAGES}


def draw(here: Here, stage: Stage) -> str:
    """Draw a stage with the controls of its place; "", or why the model does not have it, in words.

    What a file calls `lead` stands beside the controls, in sight at once; its `draw` is all the rest.
    """
    drawing = _DRAWINGS[stage.name]
    try:
        if hasattr(drawing, "lead"):
            here.surface.beside(lambda: controls(here, stage.uses), lambda: drawing.lead(here))
        elif stage.uses:
            controls(here, stage.uses)
        drawing.draw(here)
    except Absent as gap:
        return absence(gap)
    return ""


def absence(gap: Absent) -> str:
    said = {key: named_or_own(value) if key == "read_out" else value for key, value in gap.numbers.items()}
    return say("walk")[gap.key].format(**said)
