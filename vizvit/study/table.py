"""The methods' scores as a table: deletion, insertion, pointing, each with the standard error of its mean."""

from __future__ import annotations

import math

COLUMNS = {"deletion": "deletion ↓", "insertion": "insertion ↑", "pointing": "pointing ↑"}


def cells(summary: dict) -> list[list[str]]:
    """A header and a row a method, in the study's order; columns that nothing was measured for are left out."""
    methods = summary["methods"]
    measured = [name for name in COLUMNS if any(name in scores for scores in methods.values())]
    head = ["method", *(COLUMNS[name] for name in measured)]
    rows = [[name, *(_cell(scores.get(column), column) for column in measured)] for name, scores in methods.items()]
    return [head, *rows]


def markdown(summary: dict) -> str:
    """The table for a README; empty where no method was judged."""
    head, *rows = cells(summary)
    if len(head) == 1 or not rows:
        return ""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def note(summary: dict) -> str:
    """What the table was measured on, in sentences."""
    said = f"{summary['model']}, {summary['weights']}; {summary['measured']} pictures."
    if any("deletion" in scores for scores in summary["methods"].values()):
        settings, (rows, cols) = summary["settings"], summary["grid"]
        said += (
            f" Deletion and insertion: areas under the curve of the predicted class's probability, "
            f"{settings['steps'] or rows * cols} steps, filled by {settings['fill']}."
        )
    if any("pointing" in scores for scores in summary["methods"].values()):
        said += f" Pointing: {summary['objects']} pictures whose object fills less than half."
    return f"{said} ± is the standard error of the mean."


def _cell(score: dict | None, column: str) -> str:
    if score is None:
        return "–"
    scale, digits, unit = (100, 1, " %") if column == "pointing" else (1, 3, "")
    error = score["error"]
    spread = "" if error is None or not math.isfinite(error) else f" ± {scale * error:.{digits}f}"
    return f"{scale * score['mean']:.{digits}f}{spread}{unit}"
