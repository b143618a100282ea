"""Heads: how far and how widely each head looks, by depth, and the map of the one chosen."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizvit.analysis import attention_distance, attention_entropy, attention_map, describe_query, prefix_share
from vizvit.capture import Capture
from vizvit.figures import depth_figure
from vizvit.pages import look
from vizvit.pages.choice import Choice

MEASURES = {
    "Mean attention distance": (attention_distance, "pixels of the input", "mean attention distance (px)"),
    "Entropy": (attention_entropy, "nats", "entropy (nats)"),
    "Share on prefix tokens": (prefix_share, "share of the patches' attention", "share on prefix tokens"),
}


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    st.title("Heads by depth")
    look.lead(
        "Each dot is a head. Low ones look close by, as a convolution would; high ones look across the whole picture. "
        "Choose a dot to see its map."
    )
    _body(choice, cap)


@st.fragment
def _body(choice: Choice, cap: Capture) -> None:
    names = [name for name in MEASURES if cap.grid.num_prefix_tokens or name != "Share on prefix tokens"]
    name = st.segmented_control(
        "Measure", names, default=names[0], required=True, key="heads_measure", persist_state="session"
    )
    measure, unit, axis = MEASURES[name]
    values = choice.result(("heads", name), lambda: measure(cap))
    note = look.weights_note(choice.vit)
    left, right = st.columns([7, 5], gap="large")
    with left:
        layer, head = _chart(values, axis)
        st.caption(
            f"{name} of {cap.num_layers} × {cap.num_heads} heads on {choice.image_name}, in {unit}; the line is "
            f"the mean of each layer. {note}."
        )
        look.downloads(
            "heads",
            lambda: depth_figure(values, ylabel=axis, title=name, caption=note, selected=(layer, head)),
            lambda: {"values": values},
        )
    with right:
        heat = attention_map(cap, layer, head=head)
        query = describe_query(cap, pooled=False)
        st.subheader(f"Layer {layer}, head {head}")
        st.image(look.picture(cap.view, heat), width="stretch", alt=f"Attention of layer {layer}, head {head}, {query}")
        look.colour_bar(0, float(heat.max()), "attention")
        st.caption(
            f"From the {query} to each patch; {look.number(values[layer, head])} {unit}. {note}. "
            f"Scaled to its own maximum; {look.share(max(0.0, 1 - float(heat.sum())))} goes to prefix tokens."
        )
        if st.button("Open this head in Explore", icon=":material/arrow_forward:"):
            selection = st.session_state.get("selection") or {"token": 0}
            st.session_state.selection = selection | {"layer": layer, "head": head}
            st.switch_page(st.session_state.pages["explore"])


def _chart(values: np.ndarray, axis: str) -> tuple[int, int]:
    """The dots, one of which can be chosen; the last layer's first head until one is."""
    layers, heads = values.shape
    layer, head = np.divmod(np.arange(values.size), heads)
    table = pd.DataFrame({"layer": layer, "head": head, "value": values.ravel()})
    chosen = alt.selection_point(name="head", fields=["layer", "head"], on="click", empty=False)
    accent = "#d81b60" if look.theme() == "light" else "#ff5c93"
    base = alt.Chart(table).encode(
        x=alt.X(
            "layer:Q",
            title="layer",
            axis=alt.Axis(tickMinStep=1, grid=False),
            scale=alt.Scale(domain=[-0.5, layers - 0.5]),
        ),
        y=alt.Y("value:Q", title=axis, scale=alt.Scale(zero=True, nice=True)),
    )
    line = base.mark_line(strokeDash=[4, 4], opacity=0.6).encode(y="mean(value):Q", color=alt.value("gray"))
    dots = (
        base.mark_circle(opacity=0.85, cursor="pointer")
        .encode(
            color=alt.condition(
                chosen, alt.value(accent), alt.value("#31688e" if look.theme() == "light" else "#6fb7d6")
            ),
            size=alt.condition(chosen, alt.value(260), alt.value(110)),
            tooltip=["layer", "head", alt.Tooltip("value:Q", title=axis, format=".3g")],
        )
        .add_params(chosen)
    )
    chart = (line + dots).properties(height=460).configure_axis(labelFontSize=14, titleFontSize=15)
    event = st.altair_chart(chart, width="stretch", on_select="rerun", key="heads_chart")
    points = event.selection.get("head") or []
    if points and points[0]["layer"] < layers and points[0]["head"] < heads:
        return int(points[0]["layer"]), int(points[0]["head"])
    return layers - 1, 0
