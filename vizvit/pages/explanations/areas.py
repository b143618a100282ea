"""Areas under the curves, the map with the greatest insertion minus deletion first."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from vizvit.faithful import Curves, RandomCurves
from vizvit.numbers import change, decimals, fixed, signed
from vizvit.pages.explanations.charts import GREY
from vizvit.pages.shared.language import say

PLACES = 3  # decimals of an area under a probability


@dataclass(frozen=True, eq=False)
class Row:
    """One map's curves, and those of random orders and of the middle first that follow the same probability."""

    title: str
    colour: str
    curves: Curves
    chance: RandomCurves
    centre: Curves


def table(rows: Sequence[Row], *, shared: bool) -> str:
    """HTML; areas of values have as many decimals as it takes.

    shared: all curves follow the same, so that the random orders and the middle first are rows of their own; else each
    map has them beside it.
    """
    t, places = say("explanations"), _places(rows)
    found = [
        (
            _apart(row.curves),
            _line(row.title, row.colour, "solid", row.curves, places, "" if shared else _beside(row, places)),
        )
        for row in rows
    ]
    columns = ["table_map", "table_deletion", "table_insertion", "table_apart"]
    if shared:
        chance, centre = rows[0].chance, rows[0].centre
        found.append((_apart(centre), _line(t["centre"], GREY, "dashed", centre, places)))
        found.append((float(_aparts(chance).mean()), _random_line(t["random"], chance, places)))
    else:
        columns += ["table_random", "table_centre"]
    body = "".join(line for _, line in sorted(found, key=lambda one: -one[0]))
    head = "".join(f"<th>{t[key]}</th>" for key in columns)
    return f"<table class='vz-areas'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _places(rows: Sequence[Row]) -> int:
    if rows[0].curves.outputs != "value":
        return PLACES
    return decimals(area for row in rows for area in (row.curves.deletion_area, row.curves.insertion_area))


def _line(title: str, colour: str, style: str, curves: Curves, places: int, more: str = "") -> str:
    deletion, insertion = curves.deletion_area, curves.insertion_area
    written = fixed(deletion, places), fixed(insertion, places), signed(change(deletion, insertion, places), places)
    values = "".join(f"<td>{value}</td>" for value in written)
    return f"<tr><td>{_mark(colour, style)}{html.escape(title)}</td>{values}{more}</tr>"


def _random_line(title: str, chance: RandomCurves, places: int) -> str:
    areas = [
        f"<td>{fixed(mean, places)} <small>± {fixed(spread, places)}</small></td>"
        for mean, spread in (
            (chance.deletion_area, chance.deletion_area_spread),
            (chance.insertion_area, chance.insertion_area_spread),
        )
    ]
    return f"<tr><td>{_mark(GREY, 'solid')}{title}</td>{''.join(areas)}<td>{_random(chance, places)}</td></tr>"


def _beside(row: Row, places: int) -> str:
    return f"<td>{_random(row.chance, places)}</td><td>{signed(_apart(row.centre), places)}</td>"


def _random(chance: RandomCurves, places: int) -> str:
    apart = signed(change(chance.deletion_area, chance.insertion_area, places), places)
    return f"{apart} <small>± {fixed(float(_aparts(chance).std(ddof=1)), places)}</small>"


def _mark(colour: str, style: str) -> str:
    return f"<i style='border-color: {colour}; border-top-style: {style}'></i>"


def _apart(curves: Curves) -> float:
    return curves.insertion_area - curves.deletion_area


def _aparts(chance: RandomCurves):
    return chance.insertion_areas - chance.deletion_areas
