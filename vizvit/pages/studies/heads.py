"""Every head over many pictures, by depth; ranked, and each row a way into the explorer."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizvit.errors import ModelError
from vizvit.numbers import number, thousands
from vizvit.pages.explore.open_head import open_head
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.studies import chosen, settings
from vizvit.pages.studies.settings import Asked
from vizvit.study import MEASURES, Head
from vizvit.study.figures import EVEN, value_range, whose_attention
from vizvit.study.sweep import ranked
from vizvit.study.written import SHARES, difference_text, mean_text, places_of


def show(choice: Choice, summary: dict) -> None:
    t = say("studies")
    st.subheader(t["heads"])
    asked = settings.choose(summary)
    try:
        found = ranked(summary, asked.by, asked.top, lowest=asked.order == "lowest", like=asked.head)
    except ModelError as error:
        st.error(look.failure("study", error))
        return
    left, right = st.columns([7, 5], gap="large")
    with left:
        _dots(summary, asked, found)
    with right:
        chosen.note(choice, summary)
        if asked.head:
            _one(choice, summary, *asked.head)
        st.markdown(f"**{t[f'ranked_{asked.order}'].format(count=len(found), measure=t[asked.by])}**")
        _rows(choice, summary, asked, found)


def _one(choice: Choice, summary: dict, layer: int, head: int) -> None:
    """The chosen head in every measure."""
    t, rows = say("studies"), []
    for name in MEASURES:
        if found := summary["heads"].get(name):
            said = mean_text(name, found["mean"][layer][head], found["spread"][layer][head], _places(summary, name))
            rows.append(f"| {t[name]} | {said} |")
    st.markdown("\n".join([f"| {t['place'].format(layer=layer, head=head)} | |", "| :-- | --: |", *rows]))
    _open(choice, summary, layer, head, t["open_one"], "study_open_chosen", first=True)


def _rows(choice: Choice, summary: dict, asked: Asked, found: list[Head]) -> None:
    t, places = say("studies"), _places(summary, asked.by, found)
    st.caption(t["open_like"] if asked.head else t["open"])
    rows = st.container(gap=None)
    for place, head in enumerate(found, 1):
        with rows.container(horizontal=True, vertical_alignment="center", gap="small", key=f"study_row_{place}"):
            name = t["place"].format(layer=head.layer, head=head.head)
            _open(choice, summary, head.layer, head.head, name, f"study_open_{head.layer}_{head.head}")
            st.markdown(mean_text(asked.by, head.mean, head.spread, places), width="content")
            if head.difference is not None:
                st.caption(difference_text(asked.by, head, places), width="content")


def _open(choice: Choice, summary: dict, layer: int, head: int, name: str, key: str, *, first: bool = False) -> None:
    """A button that shows a head of the study's own model in the explorer, whatever model is chosen now."""
    own = chosen.is_chosen(choice, summary)
    known = own or chosen.can_choose(summary)
    opened = st.button(
        name,
        key=key,
        icon=":material/arrow_forward:",
        type="secondary" if first else "tertiary",
        width="content",
        disabled=not known,
        on_click=None if own else chosen.choose,
        args=None if own else (summary,),
    )
    if opened and own:  # a model that could not be loaded is not: the sidebar says why
        open_head(choice, layer, head)


def _places(summary: dict, measure: str, found: Sequence[Head] = ()) -> int:
    means = (mean for row in summary["heads"][measure]["mean"] for mean in row)
    return places_of(measure, means, [head.difference for head in found])


def _dots(summary: dict, asked: Asked, found: list[Head]) -> None:
    """The chart, of which a dot can be chosen, and what it shows."""
    t, measured = say("studies"), summary["heads"][asked.by]
    mean, spread = (np.array(measured[name], float) for name in ("mean", "spread"))
    ends = value_range(mean, spread, EVEN.get(asked.by))
    chart = _chart(mean, spread, ends, asked, found)
    st.altair_chart(chart, width="stretch", on_select=_use_dot, key=f"study_chart_{_clicks()}")
    read = t[f"{asked.by}_read"].format(whose=t[f"whose_{whose_attention(summary)}"])
    said = [t["chart_caption"].format(count=thousands(int(measured["count"])), read=read)]
    if asked.head:
        said.append(t["large_dot"])
    if ends[0] > 0:
        said.append(t["axis_from"].format(low=number(ends[0])))
    st.caption(" ".join(said))


def _clicks() -> int:
    """Each click ends the life of a chart: the same dot on the same chart would be nothing new when it is clicked again
    after the head was chosen otherwise."""
    return st.session_state.setdefault("study_clicks", 0)


def _use_dot() -> None:
    state = st.session_state
    points = state[f"study_chart_{_clicks()}"].selection.get("dot") or []
    if points:
        settings.compare_with(int(points[0]["layer"]), int(points[0]["head"]))
        state.study_clicks += 1


def _chart(
    mean: np.ndarray, spread: np.ndarray, ends: tuple[float, float], asked: Asked, found: list[Head]
) -> alt.LayerChart:
    """A dot a head at its mean, a line of one standard deviation to each side; heads of a layer side by side.

    mean, spread: [layer, head]. ends: of the axis.
    """
    t = say("studies")
    layers, heads = mean.shape
    layer, head = (index.ravel() for index in np.indices(mean.shape))
    beside = 0.6 * ((head + 0.5) / heads - 0.5)
    columns = {"layer": layer, "head": head, "x": layer + beside, "mean": mean.ravel(), "spread": spread.ravel()}
    table = pd.DataFrame(columns).dropna(subset="mean")
    places = places_of(asked.by, mean.ravel())
    for name in ("mean", "spread"):
        table[f"{name}_said"] = [mean_text(asked.by, value, None, places) for value in table[name]]
    table["low"], table["high"] = table["mean"] - table["spread"], table["mean"] + table["spread"]
    kinds = {(one.layer, one.head): "ranked" for one in found} | ({asked.head: "chosen"} if asked.head else {})
    table["kind"] = [kinds.get(place, "other") for place in zip(table["layer"], table["head"], strict=True)]
    light = look.theme() == "light"
    shown = ["other", "ranked", "chosen"]
    colours = alt.Scale(domain=shown, range=[look.quiet_mark(), look.accent(), "#1c1c1e" if light else "#ececee"])
    size = 80 if layers * heads <= 80 else 45
    table["size"] = np.where(table["kind"] == "chosen", 3 * size, size)
    base = alt.Chart(table).encode(
        x=alt.X(
            "x:Q",
            title=t["layer_axis"],
            axis=alt.Axis(values=list(range(layers)), format="d", grid=False),
            scale=alt.Scale(domain=[-0.5, layers - 0.5], nice=False),
        ),
        color=alt.Color("kind:N", scale=colours, legend=None),
        tooltip=[
            alt.Tooltip("layer:Q", title=t["layer_axis"]),
            alt.Tooltip("head:Q", title=t["head_axis"]),
            alt.Tooltip("mean_said:N", title=t["mean"]),
            alt.Tooltip("spread_said:N", title=t["spread"]),
        ],
    )
    axis = alt.Axis(labelExpr=look.PER_CENT) if asked.by in SHARES else alt.Axis()
    scale = alt.Scale(domain=list(ends), zero=False, nice=False)
    bars = base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q", title="", scale=scale), y2="high:Q")
    dots = (
        base.mark_circle(opacity=0.95, cursor="pointer")
        .encode(
            y=alt.Y("mean:Q", title=t[f"{asked.by}_axis"], scale=scale, axis=axis),
            size=alt.Size("size:Q", scale=None, legend=None),
        )
        .add_params(alt.selection_point(name="dot", fields=["layer", "head"], on="click", empty=False))
    )
    return (bars + dots).properties(height=440).configure_axis(labelFontSize=14, titleFontSize=15)
