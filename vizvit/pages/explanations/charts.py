"""Charts of the curves: one colour a map, the random order as a grey band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from vizvit.explanations import METHODS
from vizvit.numbers import number, share
from vizvit.pages.explanations.settings import SHOWN
from vizvit.pages.shared import look

GREY = METHODS["random"].colours[0]
PERCENT = "format(100 * datum.value, '.3~g') + ' %'"  # a share at an axis
SOLID, DASHED, DOTTED = (1, 0), (5, 4), (1, 4)  # pixels drawn and left out
AXES = {"labelFontSize": 14, "titleFontSize": 15, "titleFontWeight": "normal"}


@dataclass(frozen=True, eq=False)
class Line:
    """A line's name, of which there is no second, its title on the screen, its colour, and its values [S+1]."""

    name: str
    title: str
    colour: str
    values: np.ndarray
    dash: tuple[int, int] = SOLID


def colour_of(method: str) -> str:
    light, dark = METHODS[method].colours
    return light if look.theme() == "light" else dark


def colour_at(index: int) -> str:
    """For maps of one method: the colours that the methods have among each other."""
    return colour_of(SHOWN[index % len(SHOWN)])


def growing(
    fractions: np.ndarray,
    lines: Sequence[Line],
    chance: tuple[np.ndarray, np.ndarray] | None,
    *,
    x: str,
    y: str,
    random: str,
    name: str,
    values: bool = False,
    height: int = 380,
) -> alt.LayerChart:
    """Probability by the share of patches. chance: mean and spread of the random orders, [S+1] each, if there is one
    band for all. values: of a model of values, whose axis need not begin at 0."""
    percent, told = np.round(100 * fractions, 2), number if values else share
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "x": percent,
                    "y": line.values,
                    "share": [told(value) for value in line.values],
                    "map": line.name,
                    "title": line.title,
                }
            ).dropna()
            for line in lines
        ],
        ignore_index=True,
    )
    across = alt.X("x:Q", title=x, scale=alt.Scale(domain=[0, 100], nice=False), axis=alt.Axis(grid=False, tickCount=5))
    up = alt.Y(
        "y:Q",
        title=y,
        scale=alt.Scale(zero=False) if values else alt.Scale(zero=True, domainMin=0),
        axis=alt.Axis(tickCount=5) if values else alt.Axis(labelExpr=PERCENT, tickCount=5),
    )
    names, colours = [line.name for line in lines], [line.colour for line in lines]
    near = alt.selection_point(name=name, on="pointerover", fields=["map"], nearest=True, clear="pointerout")
    shade = alt.Color("map:N", scale=alt.Scale(domain=names, range=colours), legend=None)
    tips = [
        alt.Tooltip("title:N", title=" "),
        alt.Tooltip("x:Q", title=x, format=".0f"),
        alt.Tooltip("share:N", title=y),
    ]
    base = alt.Chart(table).encode(across, up, shade)
    dashes = alt.StrokeDash(
        "map:N",
        scale=alt.Scale(domain=names, range=[list(line.dash) for line in lines]),
        legend=None,
    )
    drawn = base.mark_line(strokeWidth=2.5).encode(dashes, opacity=alt.condition(near, alt.value(1), alt.value(0.15)))
    dots = base.mark_circle(size=80, opacity=0).encode(tooltip=tips).add_params(near)
    chart = drawn + dots
    if chance is not None:
        mean, spread = chance
        band = pd.DataFrame(
            {
                "x": percent,
                "y": mean,
                "share": [told(value) for value in mean],
                "low": mean - spread if values else np.maximum(mean - spread, 0),
                "high": mean + spread,
                "title": random,
            }
        ).dropna()
        area = alt.Chart(band).mark_area(color=GREY, opacity=0.28)
        middle = alt.Chart(band).mark_line(color=GREY, strokeWidth=2)
        chart = (
            area.encode(across, alt.Y("low:Q", title=y), alt.Y2("high:Q"))
            + middle.encode(across, up, tooltip=tips)
            + chart
        )
    return chart.properties(height=height).configure_axis(**AXES)


def by_depth(lines: Sequence[Line], starts: np.ndarray, *, x: str, y: str, height: int = 300) -> alt.LayerChart:
    """A value by the number of randomised blocks [n]."""
    table = pd.concat(
        [pd.DataFrame({"x": starts, "y": line.values, "map": line.title}).dropna() for line in lines],
        ignore_index=True,
    )
    lowest = float(min(0.0, table["y"].min())) if len(table) else 0.0
    names, colours = [line.title for line in lines], [line.colour for line in lines]
    base = alt.Chart(table).encode(
        alt.X("x:Q", title=x, axis=alt.Axis(tickMinStep=1, grid=False)),
        alt.Y("y:Q", title=y, scale=alt.Scale(domain=[lowest, 1])),
        alt.Color(
            "map:N",
            title=None,
            scale=alt.Scale(domain=names, range=colours),
            legend=alt.Legend(orient="bottom", labelLimit=400, labelFontSize=14, columns=2),
        ),
        tooltip=[
            alt.Tooltip("map:N", title=" "),
            alt.Tooltip("x:Q", title=x),
            alt.Tooltip("y:Q", title=y, format=".3f"),
        ],
    )
    zero = alt.Chart(pd.DataFrame({"y": [0.0]})).mark_rule(color=GREY, opacity=0.7).encode(y="y:Q")
    chart = zero + base.mark_line(strokeWidth=2.5) + base.mark_circle(size=80, opacity=1)
    height += 24 * ((len(lines) - 1) // 2)  # the legend takes it from the chart
    return chart.properties(height=height).configure_axis(**AXES)
