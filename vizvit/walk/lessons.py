"""The lessons of the walk through a Vision Transformer, one Markdown file a stage and language: `assets/lessons/`.

    lesson("08-scores", "ja").fill(layer=5, head=2, tokens=65, head_dim=32, ...).shapes

What a file lacks is an error; nothing is ever taken from another language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

from ..texts import LANGUAGES
from ..texts.assets import assets_dir
from .stages import STAGES

# One a stage, in their order; then those that stand in the place of one for other models.
LESSONS = tuple(stage.lesson for stage in STAGES)
LESSONS += tuple(other["lesson"] for stage in STAGES for other in stage.otherwise.values() if "lesson" in other)
EXPERIMENTS = ("positions", "temperature", "heads", "attention", "patches", "weights")

# {values} = P²·C, the numbers in a patch; {prefix} counts the tokens before the patches; all indices are from 0.
PLACEHOLDERS = (
    *("height", "width", "channels", "patch", "rows", "cols", "patches", "values"),
    *("prefix", "tokens", "dim", "heads", "head_dim", "hidden", "layers", "classes"),
    *("layer", "head", "row", "col", "model"),
)
# Braces after a letter, ^ or _ are LaTeX's own: \mathrm{head}, x^{patch}.
_PLACEHOLDER = re.compile(rf"(?<![A-Za-z^_])\{{({'|'.join(PLACEHOLDERS)})\}}")


@dataclass(frozen=True)
class Lesson:
    """A stage's texts, in Markdown with LaTeX between dollars: templates until they are filled.

    The fields after the title are the sections of a file in turn, whatever its language calls them.
    """

    title: str
    what: str
    formula: str
    shapes: str
    try_: str
    question: str
    answer: str

    def fill(self, **numbers: object) -> Lesson:
        """The lesson with a model's numbers in the place of the names in braces; all other braces are LaTeX's and stay.

        KeyError where a name of PLACEHOLDERS stands in the text and has no value.
        """
        return replace(self, **{field.name: _filled(getattr(self, field.name), numbers) for field in fields(self)})


def lesson(name: str, language: str) -> Lesson:
    """The lesson of a stage, one of LESSONS, in a language.

    KeyError for a stage or a language there is not, ValueError for a file with more or fewer sections.
    """
    if name not in LESSONS:
        raise KeyError(f'There is no stage "{name}"; there are {", ".join(LESSONS)}.')
    title, sections = _read(name, language)
    _check_count(sections, len(fields(Lesson)) - 1, f"{language}/{name}.md")
    return Lesson(title, *sections.values())


def experiments(language: str) -> dict[str, str]:
    """What each of EXPERIMENTS changes and shows, in Markdown. Raises as `lesson` does."""
    return dict(zip(EXPERIMENTS, _experiments(language).values(), strict=True))


def lessons_dir() -> Path:
    """The folder with a folder of lessons for each language."""
    return assets_dir() / "lessons"


def _filled(text: str, numbers: dict[str, object]) -> str:
    return _PLACEHOLDER.sub(lambda found: str(numbers[found[1]]), text)


def _experiments(language: str) -> dict[str, str]:
    _, sections = _read("20-experiments", language)
    _check_count(sections, len(EXPERIMENTS), f"{language}/20-experiments.md")
    return sections


def _check_count(sections: dict[str, str], count: int, name: str) -> None:
    if len(sections) != count:
        raise ValueError(f"{name} has the sections {list(sections)}, but {count} were expected.")


@cache
def _read(name: str, language: str) -> tuple[str, dict[str, str]]:
    """A file's title and its sections by their headings."""
    if language not in LANGUAGES:
        raise KeyError(f'There is no language "{language}"; there are {", ".join(LANGUAGES)}.')
    return parse((lessons_dir() / language / f"{name}.md").read_text("utf-8"), f"{language}/{name}.md")


def parse(text: str, name: str) -> tuple[str, dict[str, str]]:
    """The title and {heading: text} of a lesson's Markdown.

    ValueError where a section is empty or stands twice, or where more or less than a title stands before the first one.
    """
    top, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    title = re.fullmatch(r"# (.+)\s*", top)
    if title is None:
        raise ValueError(f"{name} must begin with a line `# Title` and then its sections, not with {top!r}.")
    headings, bodies = parts[::2], [body.strip() for body in parts[1::2]]
    if len(set(headings)) < len(headings) or not all(bodies):
        raise ValueError(f"{name} has an empty section, or one heading twice: {headings}.")
    return title[1].strip(), dict(zip(headings, bodies, strict=True))
