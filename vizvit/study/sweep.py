"""Finding heads: a study's heads ranked by what they do, each with the link that opens it in the explorer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from pyarrow import ArrowException, parquet

from ..errors import ModelError
from .measures import MEASURES
from .merge import HEADS, SUMMARY


@dataclass(frozen=True)
class Head:
    """One head with its mean and spread over `count` pictures. link: the query of the explorer's address."""

    layer: int
    head: int
    mean: float
    spread: float | None
    count: int
    link: str


def sweep(folder: str | Path, by: str = "distance", top: int | None = 10, *, lowest: bool = False) -> list[Head]:
    """The heads of a finished study, the greatest mean first; with `lowest` the least.

    by: "distance", "entropy", "prefix_share", "sink_share" or "agreement". top: how many; None is all.
    Raises ModelError for a folder without a finished study, another measure, and one that the study did not have.
    """
    if by not in MEASURES:
        raise ModelError(f'Heads are ranked by one of {", ".join(MEASURES)}; received "{by}".')
    if top is not None and top < 1:
        raise ModelError(f"How many heads to list is a whole number from 1; received {top}.")
    summary = read_summary(folder)
    rows = parquet.read_table(Path(folder) / HEADS).to_pylist()
    rows = [row for row in rows if row[f"{by}_mean"] is not None]
    if not rows:
        why = "no picture had a box" if by == "agreement" else f"{summary['model']} has none"
        raise ModelError(f"There is no {by} in the study in {folder}: {why}. Rank by another measure.")
    rows.sort(key=lambda row: row[f"{by}_mean"], reverse=not lowest)
    return [
        Head(
            row["layer"],
            row["head"],
            row[f"{by}_mean"],
            row[f"{by}_spread"],
            row[f"{by}_count"],
            explorer_link(summary, row["layer"], row["head"]),
        )
        for row in rows[:top]
    ]


def read_summary(folder: str | Path) -> dict:
    """What a finished study found, as in its summary.json. Raises ModelError where there is none."""
    try:
        summary = json.loads((Path(folder) / SUMMARY).read_text("utf-8"))
        parquet.read_metadata(Path(folder) / HEADS)
    except (OSError, ValueError, ArrowException) as error:
        raise ModelError(f"There is no finished study in {folder}. Make one with the command study.") from error
    return summary


def explorer_link(summary: dict, layer: int, head: int) -> str:
    """ "?layer=2&head=1&model=vizvit-tiny", to be put behind the app's address."""
    values = {"layer": layer, "head": head, "model": summary["model"]}
    if not summary["trained"]:
        values["weights"] = "random"
    return f"?{urlencode(values)}"
