"""What is asked of a study's heads: the measure, the order and the head that others are compared with.

Kept in the session and in the address, so that a link reopens the same list.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from vizvit.pages.shared.address import note_all
from vizvit.pages.shared.language import say, worded
from vizvit.reading import whole
from vizvit.study import MEASURES

ORDERS = ("highest", "lowest", "like")
TOP = 10


@dataclass(frozen=True)
class Asked:
    """by: the measure. order: one of ORDERS. top: how many heads. head: (layer, head) for the order "like"."""

    by: str
    order: str
    top: int
    head: tuple[int, int] | None


def choose(summary: dict) -> Asked:
    """Draw the controls; what was chosen for another study and is not in this one begins anew."""
    t = say("studies")
    names = [name for name in MEASURES if summary["heads"].get(name)]
    most = summary["layers"] * summary["heads_per_layer"]
    _begin(summary, names, most)
    by = st.segmented_control(
        t["by"],
        names,
        format_func=lambda name: say("studies")[name],
        required=True,
        key=worded("study_by"),
        persist_state="session",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.segmented_control(
            t["order"],
            ORDERS,
            format_func=lambda name: say("studies")[name],
            required=True,
            key=worded("study_order"),
            persist_state="session",
            width="content",
        )
        head = _choose_head(summary) if order == "like" else None
        top = st.number_input(
            t["top"],
            min_value=1,
            step=1,
            key="study_top",
            width=130,
            on_change=_keep_below,
            args=(most,),
            persist_state="session",
        )
    _write(by, order, int(top), head, names, most)
    return Asked(by, order, int(top), head)


def compare_with(layer: int, head: int) -> None:
    """Ask for the heads like this one; for callbacks, and for pages that lead here."""
    state = st.session_state
    state.study_order, state.study_layer, state.study_head = "like", layer, head


def _begin(summary: dict, names: list[str], most: int) -> None:
    """Fill in what the session does not know from the address, and the rest from where one starts."""
    state, params = st.session_state, st.query_params
    if state.setdefault("study_by", params.get("measure")) not in names:
        state.study_by = names[0]
    if state.setdefault("study_order", params.get("find")) not in ORDERS:
        state.study_order = ORDERS[0]
    top = state.setdefault("study_top", whole(params.get("top", ""), 1) or TOP)
    state.study_top = min(max(top, 1), most)
    asked = [whole(part) for part in params.get("like", "").split(",")]
    asked = asked if len(asked) == 2 else [None, None]
    ends = {"study_layer": summary["layers"], "study_head": summary["heads_per_layer"]}
    for (name, end), value in zip(ends.items(), asked, strict=True):
        now = state.setdefault(name, value)
        if now is None or not 0 <= now < end:
            state[name] = end - 1 if name == "study_layer" else 0


def _choose_head(summary: dict) -> tuple[int, int]:
    t = say("studies")
    layer = st.selectbox(
        t["layer_axis"], range(summary["layers"]), key="study_layer", width=90, persist_state="session"
    )
    head = st.selectbox(
        t["head_axis"], range(summary["heads_per_layer"]), key="study_head", width=90, persist_state="session"
    )
    return layer, head


def _keep_below(most: int) -> None:
    st.session_state.study_top = min(st.session_state.study_top, most)


def _write(by: str, order: str, top: int, head: tuple[int, int] | None, names: list[str], most: int) -> None:
    note_all(
        {
            "measure": by if by != names[0] else "",
            "find": order if order != ORDERS[0] else "",
            "top": str(top) if top != min(TOP, most) else "",
            "like": ",".join(map(str, head)) if head else "",
        }
    )
