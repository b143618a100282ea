"""Heads: how far and how widely each head looks, by depth, and the map of the one chosen."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizvit.analysis import attention_map, head_statistics
from vizvit.analysis.fusion import rest
from vizvit.figures import depth_figure
from vizvit.forward.capture import Capture
from vizvit.numbers import number, share
from vizvit.pages.explore.open_head import open_head
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say
from vizvit.pages.shared.names import query_name
from vizvit.pages.shared.pixels import picture
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.studies import settings
from vizvit.texts import words

MEASURES = {"distance": "distance", "entropy": "entropy", "prefix": "prefix_share"}  # as the library calls them


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    t = say("heads")
    st.title(t["title"])
    look.lead(t["lead"])
    _body(choice, cap)


@st.fragment
def _body(choice: Choice, cap: Capture) -> None:
    t, english = say("heads"), words("heads")
    names = [name for name in MEASURES if cap.grid.num_prefix_tokens or name != "prefix"]
    name = st.segmented_control(
        t["measure"],
        names,
        format_func=t.__getitem__,
        default=names[0],
        required=True,
        key="heads_measure",
        persist_state="session",
    )
    unit = t[f"{name}_unit"]
    found = choice.derived("heads", lambda: head_statistics(cap), lambda all: sum(part.nbytes for part in all.values()))
    values = found[MEASURES[name]]
    weights = look.plain(look.weights_note(choice.vit))
    left, right = st.columns([7, 5], gap="large")
    with left:
        layer, head = _chart(values, t[f"{name}_axis"])
        caption = t["chart_caption"].format(
            measure=t[name],
            layers=cap.num_layers,
            heads=cap.num_heads,
            picture=look.plain(choice.image_name),
            unit=unit,
            weights=weights,
        )
        st.caption(caption)
        look.downloads(
            "heads",
            lambda: depth_figure(
                values,
                ylabel=english[f"{name}_axis"],
                title=english[name],
                caption=look.weights_note(choice.vit, "en"),
                selected=(layer, head),
            ),
            lambda: {"values": values},
        )
    with right:
        heat = attention_map(cap, layer, head=head)
        query = query_name(cap, pooled=False)
        st.subheader(t["place"].format(layer=layer, head=head))
        alt_text = t["alt"].format(layer=layer, head=head, query=query)
        st.image(picture(cap.view, heat), width="stretch", alt=alt_text)
        st.html(look.colour_bar(0, float(heat.max()), t["bar"]))
        caption = t["caption"].format(
            query=query,
            value=number(values[layer, head]),
            unit=unit,
            weights=weights,
            share=share(rest(heat)),
        )
        st.caption(caption)
        if st.button(t["open"], icon=":material/arrow_forward:"):
            open_head(choice, layer, head)
        if st.session_state.get("study_folder") and st.button(t["alike"], icon=":material/manage_search:"):
            settings.compare_with(layer, head)
            st.session_state.study_by = MEASURES[name]
            st.switch_page(st.session_state.pages["studies"])


def _chart(values: np.ndarray, axis: str) -> tuple[int, int]:
    """The dots, one of which can be chosen; the last layer's first head until one is."""
    t = say("heads")
    layers, heads = values.shape
    layer, head = np.divmod(np.arange(values.size), heads)
    table = pd.DataFrame({"layer": layer, "head": head, "value": values.ravel()})
    chosen = alt.selection_point(name="head", fields=["layer", "head"], on="click", empty=False)
    base = alt.Chart(table).encode(
        x=alt.X(
            "layer:Q",
            title=t["layer_axis"],
            axis=alt.Axis(tickMinStep=1, grid=False),
            scale=alt.Scale(domain=[-0.5, layers - 0.5]),
        ),
        y=alt.Y("value:Q", title=axis, scale=alt.Scale(zero=True, nice=True)),
    )
    line = base.mark_line(strokeDash=[4, 4], opacity=0.6).encode(y="mean(value):Q", color=alt.value("gray"))
    dots = (
        base.mark_circle(opacity=0.85, cursor="pointer")
        .encode(
            color=alt.condition(chosen, alt.value(look.accent()), alt.value(look.quiet_mark())),
            size=alt.condition(chosen, alt.value(260), alt.value(110)),
            tooltip=[
                alt.Tooltip("layer:Q", title=t["layer_axis"]),
                alt.Tooltip("head:Q", title=t["head_axis"]),
                alt.Tooltip("value:Q", title=axis, format=".3g"),
            ],
        )
        .add_params(chosen)
    )
    chart = (line + dots).properties(height=460).configure_axis(labelFontSize=14, titleFontSize=15)
    event = st.altair_chart(chart, width="stretch", on_select="rerun", key="heads_chart")
    points = event.selection.get("head") or []
    if points and points[0]["layer"] < layers and points[0]["head"] < heads:
        return int(points[0]["layer"]), int(points[0]["head"])
    return layers - 1, 0
