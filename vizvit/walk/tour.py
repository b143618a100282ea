"""A lesson of a teacher's own: some stages of the walk, in its order, a sentence for each, as the text of a link.

Tour.read("scores Where does the ear look?").notes  # ((8, "Where does the ear look?"),)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from .stages import STAGES

SENTENCE = 160  # characters, the most of one stage
LONGEST = 6000  # characters of a lesson in an address: many servers end at 8,000 for all of it
_NUMBERS = {stage.name: number for number, stage in enumerate(STAGES, 1)}


@dataclass(frozen=True)
class Tour:
    """notes: (stage, from 1; the teacher's sentence, "" for none), at least one, in the walk's order."""

    notes: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, notes: Mapping[int, str]) -> Tour:
        """Of sentences by stage; they are cut and cleaned as those of a link."""
        return cls(tuple((stage, _clean(notes[stage])) for stage in sorted(notes)))

    @classmethod
    def read(cls, text: str) -> Tour | None:
        """What a link says, one line a stage: its name and the sentence. What is no stage is left out; None where
        nothing is left."""
        notes: dict[int, str] = {}
        for line in text[:LONGEST].split("\n"):
            name, _, sentence = line.strip().partition(" ")
            if name in _NUMBERS:
                notes.setdefault(_NUMBERS[name], sentence)
        return cls.of(notes) if notes else None

    def written(self) -> str:
        """As `read` takes it."""
        return "\n".join(f"{STAGES[stage - 1].name} {note}".strip() for stage, note in self.notes)

    @property
    def length(self) -> int:
        """How many characters of an address it takes, to be LONGEST at most."""
        return len(quote(self.written(), safe=""))

    @property
    def stages(self) -> tuple[int, ...]:
        return tuple(stage for stage, _ in self.notes)

    def note(self, stage: int) -> str:
        return dict(self.notes).get(stage, "")

    def nearest(self, stage: int) -> int:
        """The stage itself, or where the lesson goes on after it, or its end."""
        return next((one for one in self.stages if one >= stage), self.stages[-1])


def _clean(sentence: str) -> str:
    """One line of letters that can be seen, without what turns the direction of writing."""
    return " ".join("".join(c if c.isprintable() else " " for c in sentence).split())[:SENTENCE]
