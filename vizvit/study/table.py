"""The methods' scores as a table: deletion, insertion, pointing, each with the standard error of its mean."""

from __future__ import annotations

from collections.abc import Callable

from ..explanations.methods import METHODS
from ..numbers import NONE, decimals, mean_and_spread, thousands
from .summary import weights_note

Say = Callable[[str], dict[str, str]]  # a section's words in some language, as `texts.words` gives them
AREAS, PLACES = ("deletion", "insertion"), 3
COLUMNS = {"deletion": "deletion ↓", "insertion": "insertion ↑", "pointing": "pointing ↑"}


def cells(summary: dict) -> list[list[str]]:
    """A header and a row a method, in the study's order; columns that nothing was measured for are left out."""
    methods = summary["methods"]
    measured = [name for name in COLUMNS if any(name in scores for scores in methods.values())]
    head = ["method", *(COLUMNS[name] for name in measured)]
    means = [score["mean"] for scores in methods.values() for name, score in scores.items() if name in AREAS]
    places = decimals(means) if _of_values(summary) else PLACES
    rows = [
        [name, *(_cell(scores.get(column), column, places) for column in measured)] for name, scores in methods.items()
    ]
    return [head, *rows]


def markdown(summary: dict) -> str:
    """The table for a README; empty where no method was judged."""
    head, *rows = cells(summary)
    if len(head) == 1 or not rows:
        return ""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def best_first(summary: dict) -> list[list[str]]:
    """The rows of `cells`, the best method first: by insertion minus deletion, where there is no such thing by hits."""
    _, *rows = cells(summary)
    return sorted(rows, key=lambda row: -_merit(summary["methods"][row[0]]))


def headings(summary: dict, say: Say) -> list[str]:
    """The names of the columns that something was measured for, the method's first; only that one where nothing was."""
    measured = [name for name in COLUMNS if any(name in scores for scores in summary["methods"].values())]
    return [say("studies")[f"column_{name}"] for name in ("method", *measured)]


def title(name: str, say: Say) -> tuple[str, str]:
    """What the interface calls a method, and how a control is marked; empty for one that is none."""
    t, method = say("explanations"), METHODS.get(name)
    if method is None:
        return name, ""
    return (t[name], say("studies")["control"]) if method.control else (t[f"method_{name}"], "")


def notes(summary: dict, say: Say) -> list[str]:
    """How the table is sorted and what its columns are, in sentences."""
    t, settings, (rows, cols) = say("studies"), summary["settings"], summary["grid"]
    measured = {score for scores in summary["methods"].values() for score in scores}
    said = [t["sorted_areas" if "insertion" in measured else "sorted_pointing"]]
    if "insertion" in measured:
        fill = say("explanations")[f"fill_{settings['fill']}"]
        areas = t["areas_note_value"] if _of_values(summary) else t["areas_note"]
        said += [areas.format(steps=settings["steps"] or rows * cols, fill=fill)]
    if "pointing" in measured:
        said += [t["pointing_note"].format(count=thousands(summary["objects"]))]
    return [*said, t["error_note"]]


def missing(summary: dict, say: Say) -> list[str]:
    """Why a measure or a spread is not there, in sentences; none where all is."""
    t, heads = say("studies"), summary["heads"]
    if not heads:
        return []
    why = {
        t["missing_prefix_share"]: not heads.get("prefix_share"),
        t["missing_agreement"]: not heads.get("agreement"),
        t["missing_spread"]: summary["measured"] == 1,
    }
    return [sentence for sentence, missing in why.items() if missing]


def note(summary: dict) -> str:
    """What the table was measured on, in sentences."""
    said = f"{weights_note(summary)}; {thousands(summary['measured'])} pictures."
    if any("deletion" in scores for scores in summary["methods"].values()):
        settings, (rows, cols) = summary["settings"], summary["grid"]
        curve = "the predicted class's probability, "
        if _of_values(summary):
            curve = "the value, from that of the filled picture towards that of the whole one, in its own units, "
        said += (
            f" Deletion and insertion: areas under the curve of {curve}"
            f"{settings['steps'] or rows * cols} steps, filled by {settings['fill']}."
        )
    if any("pointing" in scores for scores in summary["methods"].values()):
        said += f" Pointing: {thousands(summary['objects'])} pictures whose object fills less than half."
    return f"{said} ± is the standard error of the mean."


def _merit(scores: dict) -> float:
    if "insertion" in scores and "deletion" in scores:
        return scores["insertion"]["mean"] - scores["deletion"]["mean"]
    return scores["pointing"]["mean"] if "pointing" in scores else float("-inf")


def _of_values(summary: dict) -> bool:
    """Whether areas are in units of the model's own. Older summaries do not say, and are of probabilities."""
    return summary.get("outputs") == "value"


def _cell(score: dict | None, column: str, places: int) -> str:
    """places: decimals of an area."""
    if score is None:
        return NONE
    scale, places, unit = (100, 1, " %") if column == "pointing" else (1, places, "")
    error = None if score["error"] is None else scale * score["error"]
    return f"{mean_and_spread(scale * score['mean'], error, places)}{unit}"
