"""Each stage is drawn by the file of its name in this folder."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from vizvit.pages.shared.language import named_or_own, say
from vizvit.pages.walkthrough.scene import Here
from vizvit.walk import Absent
from vizvit.walk.stages import STAGES

_DRAWINGS: dict[str, Callable[[Here], None]] = {
    stage.name: import_module(f"{__package__}.{stage.name}").draw for stage in STAGES
}


def draw(here: Here, stage: str) -> str:
    """Draw a stage by its name; "", or why the model does not have it, in words."""
    try:
        _DRAWINGS[stage](here)
    except Absent as gap:
        return absence(gap)
    return ""


def absence(gap: Absent) -> str:
    said = {key: named_or_own(value) if key == "read_out" else value for key, value in gap.numbers.items()}
    return say("walk")[gap.key].format(**said)
