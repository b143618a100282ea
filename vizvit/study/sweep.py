"""Finding heads: a study's heads ranked by what they do, each with the link that opens it in the explorer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from ..errors import ModelError
from .measures import MEASURES
from .opened import app_words
from .summary import read_summary


@dataclass(frozen=True)
class Head:
    """One head with its mean and spread over `count` pictures.

    link: the query of the explorer's address, empty where the app cannot open the study's model. difference: the mean
    less that of the head that others are compared with, None where heads are not compared.
    """

    layer: int
    head: int
    mean: float
    spread: float | None
    count: int
    link: str
    difference: float | None = None


def sweep(
    folder: str | Path,
    by: str = "distance",
    top: int | None = 10,
    *,
    lowest: bool = False,
    like: tuple[int, int] | None = None,
) -> list[Head]:
    """The heads of a finished study, the greatest mean first; with `lowest` the least.

    by: "distance", "entropy", "prefix_share", "sink_share" or "agreement". top: how many; None is all.
    like: (layer, head): the other heads instead, the one whose mean is nearest to this head's first.
    Raises ModelError for a folder without a finished study, another measure, one that the study did not have, and a
    head that its model does not have.
    """
    return ranked(read_summary(folder), by, top, lowest=lowest, like=like)


def ranked(
    summary: dict,
    by: str = "distance",
    top: int | None = 10,
    *,
    lowest: bool = False,
    like: tuple[int, int] | None = None,
) -> list[Head]:
    """As `sweep`, of a summary that has been read."""
    if by not in MEASURES:
        raise ModelError(f'Heads are ranked by one of {", ".join(MEASURES)}; received "{by}".')
    if top is not None and top < 1:
        raise ModelError(f"How many heads to list is a whole number from 1; received {top}.")
    if like and lowest:
        raise ModelError("Heads are ranked either from the lowest or by likeness to one head: choose one of the two.")
    heads = measured(summary, by)
    if not heads:
        why = "no picture had a box" if by == "agreement" else f"{summary['model']} has none"
        raise ModelError(f"There is no {by} in this study: {why}. Rank by another measure.")
    if like is None:
        return sorted(heads, key=lambda head: head.mean, reverse=not lowest)[:top]
    model = next((head for head in heads if (head.layer, head.head) == tuple(like)), None)
    if model is None:
        layers, each = summary["layers"], summary["heads_per_layer"]
        raise ModelError(
            f"Layer {like[0]}, head {like[1]} is not in this study: it has layers 0 to {layers - 1} of heads 0 to "
            f"{each - 1}."
        )
    others = [replace(head, difference=head.mean - model.mean) for head in heads if head is not model]
    return sorted(others, key=lambda head: abs(head.difference))[:top]


def measured(summary: dict, by: str) -> list[Head]:
    """Every head that has a mean of this measure, in the model's order; none where the study did not have it."""
    found, words = summary["heads"].get(by), app_words(summary)
    if not found:
        return []
    return [
        Head(layer, head, mean, found["spread"][layer][head], found["count"], explorer_link(words, layer, head))
        for layer, row in enumerate(found["mean"])
        for head, mean in enumerate(row)
        if mean is not None
    ]


def explorer_link(words: dict[str, str] | None, layer: int, head: int) -> str:
    """ "?layer=2&head=1&model=vizvit-tiny", to be put behind the app's address; words: `app_words`; empty without."""
    return f"?{urlencode({'layer': layer, 'head': head, **words})}" if words else ""
