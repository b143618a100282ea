"""Heads: how far and how widely each head looks, by depth, and the map of the one chosen."""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizvit.analysis import attention_map, head_statistics, uniform_head
from vizvit.analysis.fusion import rest
from vizvit.figures import depth_figure
from vizvit.figures.scale import limits
from vizvit.forward.capture import Capture
from vizvit.numbers import number, percent_of, share, thousands
from vizvit.pages.explore.link import view_from_address
from vizvit.pages.explore.open_head import open_head
from vizvit.pages.shared import look
from vizvit.pages.shared.address import note_all
from vizvit.pages.shared.language import say, worded
from vizvit.pages.shared.names import query_name
from vizvit.pages.shared.pixels import picture
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.studies import chosen, settings
from vizvit.study import read_summary, shipped_study
from vizvit.texts import words

ROOM = 1.08  # of the axis above the highest dot, times its value
LABEL, DOT = (0.3, 0.06), 0.02  # the words at the line as shares of the chart, width and height; a dot's radius
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
    _begin(names)
    name = st.segmented_control(
        t["measure"],
        names,
        format_func=lambda name: say("heads")[name],
        required=True,
        key=worded("heads_measure"),
        persist_state="session",
    )
    found = choice.derived("heads", lambda: head_statistics(cap), lambda all: sum(part.nbytes for part in all.values()))
    values, uniform = found[MEASURES[name]], uniform_head(cap.grid)[MEASURES[name]]
    layer, head = _chosen(cap)
    note_all({"layer": str(layer), "head": str(head), "measure": "" if name == names[0] else name})
    st.markdown(look.plain(sentence(name, values, uniform, cap.num_tokens)))
    left, right = st.columns([7, 5], gap="large")
    weights = look.plain(look.weights_note(choice.vit))
    with left:
        _chart(name, values, uniform, (layer, head))
        caption = t["chart_caption"].format(
            measure=t[name],
            layers=cap.num_layers,
            heads=cap.num_heads,
            picture=look.plain(choice.image_name),
            unit=t[f"{name}_unit"],
            mean=t[f"{name}_mean"],
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
                uniform=uniform,
            ),
            lambda: {"values": values},
        )
    with right:
        heat = attention_map(cap, layer, head=head)
        query = query_name(cap, pooled=False)
        st.subheader(t["place"].format(layer=layer, head=head))
        value = t["value"].format(
            measure=t[name], value=written(name, float(values[layer, head])), mean=t[f"{name}_mean"]
        )
        st.caption(value)
        alt_text = t["alt"].format(layer=layer, head=head, query=query)
        ends = limits(heat)
        look.show(picture(cap.view, heat, ends=ends), width="stretch", alt=alt_text)
        st.html(look.colour_bar(*ends, t["bar"], write=percent_of))
        st.caption(t["caption"].format(query=query, weights=weights, share=share(rest(heat))))
        if st.button(t["open"], icon=":material/arrow_forward:"):
            open_head(choice, layer, head)
        if _has_study(choice) and st.button(t["alike"], icon=":material/manage_search:"):
            settings.compare_with(layer, head)
            st.session_state.study_by = MEASURES[name]
            st.switch_page(st.session_state.pages["studies"])


def _begin(names: list[str]) -> None:
    """What a link asks for, or else the first measure."""
    state = st.session_state
    if state.get("heads_measure") not in names:
        asked = st.query_params.get("measure")
        state.heads_measure = asked if asked in names else names[0]


def _chosen(cap: Capture) -> tuple[int, int]:
    """The head that is looked at on all pages; the last layer's first one where that is none of this model's."""
    selection = st.session_state.get("selection") or view_from_address(cap.grid) or {}
    layer, head = selection.get("layer"), selection.get("head")
    if layer is None or head is None or not (0 <= layer < cap.num_layers and 0 <= head < cap.num_heads):
        return cap.num_layers - 1, 0
    return layer, head


def written(name: str, value: float) -> str:
    """A value of a measure, with its unit."""
    return share(value) if name == "prefix" else f"{number(value)} {say('heads')[f'{name}_short']}"


def sentence(name: str, values: np.ndarray, uniform: float, tokens: int) -> str:
    """What the heads of this picture have to say in a measure. values: [layer, head]."""
    t = say("heads")
    (low, high), layers = (
        (np.unravel_index(pick(values), values.shape) for pick in (np.argmin, np.argmax)),
        values.mean(1),
    )
    said = {
        "count": int((values < uniform / 2).sum()),
        "above": int((values > uniform).sum()),
        "heads": values.size,
        "tokens": thousands(tokens),
        "uniform": written(name, uniform),
        "mean": written(name, float(values.mean())),
        "nearest": int(layers.argmin()),
        "farthest": int(layers.argmax()),
    }
    for end, (layer, head) in (("low", low), ("high", high)):
        value = float(values[layer, head])
        said[end] = t["one"].format(layer=layer, head=head)
        said[f"{end}_value"] = written(name, value)
        said[f"{end}_tokens"] = number(math.exp(value)) if name == "entropy" else ""
    return t[f"{name}_said"].format(**said)


def _has_study(choice: Choice) -> bool:
    """Whether Studies shows one that a head of this model can be looked up in: the person's own, or the shipped one."""
    return bool(st.session_state.get("study_folder")) or chosen.is_chosen(choice, read_summary(shipped_study()))


def _chart(name: str, values: np.ndarray, uniform: float, chosen_head: tuple[int, int]) -> None:
    """The dots, of which one can be chosen: the one that is, large and in the accent colour."""
    t, (layers, heads) = say("heads"), values.shape
    axis = t[f"{name}_axis"]
    layer, head = np.divmod(np.arange(values.size), heads)
    is_chosen = (layer == chosen_head[0]) & (head == chosen_head[1])
    said = [written(name, float(value)) for value in values.ravel()]
    table = pd.DataFrame({"layer": layer, "head": head, "value": values.ravel(), "said": said, "chosen": is_chosen})
    top = ROOM * max(float(values.max()), uniform)
    base = alt.Chart(table).encode(
        x=alt.X(
            "layer:Q",
            title=t["layer_axis"],
            axis=alt.Axis(values=list(range(layers)), format="d", grid=False),
            scale=alt.Scale(domain=[-0.5, layers - 0.5], nice=False),
        ),
        y=alt.Y(
            "value:Q",
            title=axis,
            axis=alt.Axis(labelExpr=look.PER_CENT) if name == "prefix" else alt.Axis(),
            scale=alt.Scale(domain=[0, top], nice=False),
        ),
    )
    place, above = label_place(values, uniform, top)
    words_at = pd.DataFrame({"value": [uniform], "name": [t["uniform"]], "place": [place]})
    even = alt.Chart(words_at).encode(y=alt.Y("value:Q", title=axis))
    rule = even.mark_rule(strokeDash=[2, 3], color=look.quiet_mark())
    text = {"align": "left", "baseline": "bottom" if above else "top", "dy": -9 if above else 9}
    label = even.mark_text(**text, fontSize=14, color=look.quiet_mark()).encode(
        x=alt.X("place:Q", title=t["layer_axis"]), text="name:N"
    )
    line = base.mark_line(strokeDash=[4, 4], opacity=0.6).encode(y="mean(value):Q", color=alt.value("gray"))
    dots = (
        base.mark_circle(opacity=0.85, cursor="pointer")
        .encode(
            color=alt.condition("datum.chosen", alt.value(look.accent()), alt.value(look.quiet_mark())),
            size=alt.condition("datum.chosen", alt.value(300), alt.value(110)),
            tooltip=[
                alt.Tooltip("layer:Q", title=t["layer_axis"]),
                alt.Tooltip("head:Q", title=t["head_axis"]),
                alt.Tooltip("said:N", title=t[name]),
            ],
        )
        .add_params(alt.selection_point(name="head", fields=["layer", "head"], on="click", empty=False))
    )
    chart = (rule + label + line + dots).properties(height=400)
    chart = chart.configure_axis(labelFontSize=14, titleFontSize=15)
    st.altair_chart(chart, width="stretch", on_select=_use_dot, key=f"heads_chart_{_clicks()}")


def label_place(values: np.ndarray, uniform: float, top: float) -> tuple[float, bool]:
    """Where the words at the line of uniform attention begin, in layers, and whether above it: where the fewest dots
    are in their way. values: [layer, head]. top: of the axis."""
    layers, tall = len(values), LABEL[1] * top
    wide = min(layers, 1 + max(0, math.floor(LABEL[0] * layers - 0.45)))  # layers that they reach over
    apart = values - uniform

    def in_the_way(place: tuple[int, bool]) -> int:
        start, above = place
        there = (apart if above else -apart)[start : start + wide]
        room = top - uniform if above else uniform
        return int(((there > DOT / 2 * top) & (there < tall + DOT * top)).sum()) + (values.size if room < tall else 0)

    start, above = min(
        ((start, above) for above in (True, False) for start in range(layers - wide + 1)), key=in_the_way
    )
    return start - 0.45, above


def _clicks() -> int:
    """Each click ends the life of a chart, which would not tell of a second click on the same dot."""
    return st.session_state.setdefault("heads_clicks", 0)


def _use_dot() -> None:
    state = st.session_state
    points = state[f"heads_chart_{_clicks()}"].selection.get("head") or []
    if points:
        place = {name: int(points[0][name]) for name in ("layer", "head")}
        state.selection = (state.get("selection") or {}) | place
        state.heads_clicks += 1
