"""Areas under the curves, the map with the greatest insertion minus deletion first."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from vizvit.faithful import Curves, RandomCurves
from vizvit.numbers import change, fixed, signed
from vizvit.pages.explanations.charts import GREY
from vizvit.pages.shared.language import say

PLACES = 3  # decimals of an area


@dataclass(frozen=True, eq=False)
class Row:
    """One map's curves, and those of random orders and of the middle first that follow the same probability."""

    title: str
    colour: str
    curves: Curves
    chance: RandomCurves
    centre: Curves


def table(rows: Sequence[Row], *, shared: bool) -> str:
    """HTML. shared: all curves follow the same, so that the random orders and the middle first are rows of their own;
    else each map has them beside it."""
    t = say("explanations")
    found = [
        (_apart(row.curves), _line(row.title, row.colour, "solid", row.curves, "" if shared else _beside(row)))
        for row in rows
    ]
    columns = ["table_map", "table_deletion", "table_insertion", "table_apart"]
    if shared:
        chance, centre = rows[0].chance, rows[0].centre
        found.append((_apart(centre), _line(t["centre"], GREY, "dashed", centre)))
        found.append((float(_aparts(chance).mean()), _random_line(t["random"], chance)))
    else:
        columns += ["table_random", "table_centre"]
    body = "".join(line for _, line in sorted(found, key=lambda one: -one[0]))
    head = "".join(f"<th>{t[key]}</th>" for key in columns)
    return f"<table class='vz-areas'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _line(title: str, colour: str, style: str, curves: Curves, more: str = "") -> str:
    deletion, insertion = curves.deletion_area, curves.insertion_area
    written = fixed(deletion, PLACES), fixed(insertion, PLACES), signed(change(deletion, insertion, PLACES), PLACES)
    values = "".join(f"<td>{value}</td>" for value in written)
    return f"<tr><td>{_mark(colour, style)}{html.escape(title)}</td>{values}{more}</tr>"


def _random_line(title: str, chance: RandomCurves) -> str:
    areas = [
        f"<td>{fixed(mean, PLACES)} <small>± {fixed(spread, PLACES)}</small></td>"
        for mean, spread in (
            (chance.deletion_area, chance.deletion_area_spread),
            (chance.insertion_area, chance.insertion_area_spread),
        )
    ]
    return f"<tr><td>{_mark(GREY, 'solid')}{title}</td>{''.join(areas)}<td>{_random(chance)}</td></tr>"


def _beside(row: Row) -> str:
    return f"<td>{_random(row.chance)}</td><td>{signed(_apart(row.centre), PLACES)}</td>"


def _random(chance: RandomCurves) -> str:
    apart = signed(change(chance.deletion_area, chance.insertion_area, PLACES), PLACES)
    return f"{apart} <small>± {fixed(float(_aparts(chance).std(ddof=1)), PLACES)}</small>"


def _mark(colour: str, style: str) -> str:
    return f"<i style='border-color: {colour}; border-top-style: {style}'></i>"


def _apart(curves: Curves) -> float:
    return curves.insertion_area - curves.deletion_area


def _aparts(chance: RandomCurves):
    return chance.insertion_areas - chance.deletion_areas
