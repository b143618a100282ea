"""Choosing a class: the likeliest ones side by side, and all others by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from vizvit.numbers import thousands
from vizvit.pages.shared import look
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.classes import class_name, full_names, told
from vizvit.pages.shared.language import say_of
from vizvit.pages.sidebar.choice import Choice
from vizvit.reading import whole


def choose_class(
    choice: Choice,
    predictions: np.ndarray,
    *,
    name: str,
    title: str,
    best: Sequence[int],
    default: int,
    without: int | None = None,
) -> int:
    """One of the likeliest classes, or any found by its name; another picture or model starts with the default.

    name: in the address and in the session. best: the classes to offer first. without: a class not to be had.
    """
    state, vit = st.session_state, choice.vit
    t = say_of("explanations", vit)
    key, search, of = (f"explanations_{name}{part}" for part in ("", "_search", "_of"))
    if state.get(of) != choice.key:
        asked = "" if of in state else st.query_params.get(name, "")
        state[of], state[key] = choice.key, whole(asked) if whole(asked) is not None else default
    chosen = state.get(key)
    if chosen is None or chosen >= len(vit.labels) or chosen == without:
        chosen = default
    state[key] = chosen
    offered = [*best, *([] if chosen in best else [chosen])]
    others = [index for index in range(len(vit.labels)) if index != without]
    left, right = st.columns([31, 10], gap="medium", vertical_alignment="bottom")
    left.pills(
        title,
        offered,
        format_func=lambda index: f"{look.plain(class_name(vit, index))} · {told(vit, predictions[index])}",
        key=key,
        required=True,
        wrap=True,
        persist_state="session",
    )
    if len(others) > len(best):
        label = t["search"].format(count=thousands(len(others)))
        names = full_names(vit.labels)
        right.selectbox(
            label,
            others,
            index=None,
            format_func=names.__getitem__,
            placeholder=t["search_hint"].format(count=thousands(len(others))),
            key=search,
            on_change=_take,
            args=(key, search),
            label_visibility="collapsed",
        )
    note_in_address(name, "" if chosen == default else str(chosen))
    return chosen


def _take(key: str, search: str) -> None:
    state = st.session_state
    if state[search] is not None:
        state[key] = state[search]
    state[search] = None
