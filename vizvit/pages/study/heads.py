"""Every head over many pictures, by depth; ranked, and each row a way into the explorer."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizvit.errors import ModelError
from vizvit.pages import look
from vizvit.pages.choice import Choice
from vizvit.pages.language import say, worded
from vizvit.pages.study import chosen
from vizvit.study import MEASURES, Head, sweep


def show(choice: Choice, summary: dict, folder: Path) -> None:
    t, state = say("studies"), st.session_state
    st.subheader(t["heads"])
    names = [name for name in MEASURES if name in summary["heads"]]
    most = summary["layers"] * summary["heads_per_layer"]
    if state.get("study_by", names[0]) not in names:  # chosen for another study
        state.study_by = names[0]
    if state.get("study_top", 1) > most:
        state.study_top = most
    by = st.segmented_control(
        t["by"],
        names,
        format_func=lambda name: say("studies")[name],
        default=names[0],
        required=True,
        key=worded("study_by"),
        persist_state="session",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.segmented_control(
            t["order"],
            ["highest", "lowest"],
            format_func=lambda name: say("studies")[name],
            default="highest",
            required=True,
            key=worded("study_order"),
            persist_state="session",
        )
        top = st.number_input(t["top"], 1, most, min(10, most), key="study_top", width=130)
    try:
        found = sweep(folder, by, int(top), lowest=order == "lowest")
    except (ModelError, KeyError):
        st.error(t["none"].format(folder=look.plain(str(folder))))
        return
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.altair_chart(_chart(summary, by, found), width="stretch")
        spoken = {"count": summary["heads"][by]["count"], "read": t[f"{by}_read"]}
        st.caption(t["chart_caption"].format(**spoken))
    with right:
        st.markdown(f"**{t[f'ranked_{order}'].format(count=len(found), measure=t[by])}**")
        chosen.note(choice, summary)
        _rows(found)


def _rows(found: list[Head]) -> None:
    t = say("studies")
    st.caption(t["open"])
    rows = st.container(gap=None)
    for place, head in enumerate(found, 1):
        with rows.container(horizontal=True, vertical_alignment="center", gap="small", key=f"study_row_{place}"):
            where, key = t["place"].format(layer=head.layer, head=head.head), f"study_open_{head.layer}_{head.head}"
            opened = st.button(where, key=key, icon=":material/arrow_forward:", type="tertiary", width="content")
            spread = "" if head.spread is None else f" ± {head.spread:.2g}"
            st.markdown(f"{look.number(head.mean)}{spread}", width="content")
        if opened:
            selection = st.session_state.get("selection") or {"token": 0}
            st.session_state.selection = selection | {"layer": head.layer, "head": head.head}
            st.switch_page(st.session_state.pages["explore"])


def _chart(summary: dict, by: str, found: list[Head]) -> alt.LayerChart:
    """A dot a head at its mean, a line of one standard deviation to each side; heads of a layer side by side."""
    t = say("studies")
    mean, spread = (np.array(summary["heads"][by][name], float) for name in ("mean", "spread"))
    layers, heads = mean.shape
    layer, head = (index.ravel() for index in np.indices(mean.shape))
    ranked = {(one.layer, one.head) for one in found}
    beside = 0.6 * ((head + 0.5) / heads - 0.5)
    columns = {"layer": layer, "head": head, "x": layer + beside, "mean": mean.ravel(), "spread": spread.ravel()}
    table = pd.DataFrame(columns).dropna(subset="mean")
    table["low"], table["high"] = table["mean"] - table["spread"], table["mean"] + table["spread"]
    table["ranked"] = [place in ranked for place in zip(table["layer"], table["head"], strict=True)]
    light = look.theme() == "light"
    colour = alt.condition(
        "datum.ranked",
        alt.value("#d81b60" if light else "#ff5c93"),
        alt.value("#31688e" if light else "#6fb7d6"),
    )
    axis = alt.Axis(values=list(range(layers)), format="d", grid=False)
    base = alt.Chart(table).encode(
        x=alt.X("x:Q", title=t["layer_axis"], axis=axis, scale=alt.Scale(domain=[-0.5, layers - 0.5], nice=False)),
        color=colour,
    )
    axis_y = alt.Y("mean:Q", title=t[f"{by}_axis"], scale=alt.Scale(zero=True, nice=True))
    tooltip = [
        alt.Tooltip("layer:Q", title=t["layer_axis"]),
        alt.Tooltip("head:Q", title=t["head_axis"]),
        alt.Tooltip("mean:Q", title=t["mean"], format=".3g"),
        alt.Tooltip("spread:Q", title=t["spread"], format=".2g"),
    ]
    bars = base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q", title=""), y2="high:Q")
    dots = base.mark_circle(opacity=0.95, size=80).encode(y=axis_y, tooltip=tooltip)
    return (dots + bars).properties(height=440).configure_axis(labelFontSize=14, titleFontSize=15)
