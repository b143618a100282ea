"""Choosing a class: the likeliest ones side by side, and all others by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import streamlit as st

from vizvit.model import VitModel
from vizvit.pages import look
from vizvit.pages.address import note_in_address
from vizvit.pages.choice import Choice
from vizvit.pages.language import say


def likeliest(probabilities: np.ndarray, count: int = 5) -> list[int]:
    return [int(index) for index in np.argsort(probabilities)[::-1][:count]]


def class_name(vit: VitModel, index: int) -> str:
    """The first of a class's names."""
    return vit.label(index).split(", ")[0]


def choose_class(
    choice: Choice, probabilities: np.ndarray, *, name: str, title: str, best: Sequence[int], default: int
) -> int:
    """One of the likeliest classes, or any found by its name; another picture or model starts with the default.

    name: in the address and in the session. best: the classes to offer first.
    """
    t, state, vit = say("explanations"), st.session_state, choice.vit
    key, search, of = (f"explanations_{name}{part}" for part in ("", "_search", "_of"))
    if state.get(of) != choice.key:
        asked = "" if of in state else st.query_params.get(name, "")
        state[of], state[key] = choice.key, int(asked) if asked.isascii() and asked.isdecimal() else default
    chosen = state.get(key)
    if chosen is None or chosen >= len(vit.labels):
        chosen = default
    state[key] = chosen
    offered = [*best, *([] if chosen in best else [chosen])]
    left, right = st.columns([7, 3], gap="medium", vertical_alignment="bottom")
    left.pills(
        title,
        offered,
        format_func=lambda index: f"{class_name(vit, index)} · {look.share(float(probabilities[index]))}",
        key=key,
        required=True,
        persist_state="session",
    )
    names = _names(vit)
    right.selectbox(
        t["search"].format(count=len(names)),
        range(len(names)),
        index=None,
        format_func=names.__getitem__,
        placeholder=t["search_hint"],
        key=search,
        on_change=_take,
        args=(key, search),
    )
    note_in_address(name, "" if chosen == default else str(chosen))
    return chosen


def _take(key: str, search: str) -> None:
    state = st.session_state
    if state[search] is not None:
        state[key] = state[search]
    state[search] = None


def _names(vit: VitModel) -> list[str]:
    """All classes with all their names; those of one name are told apart by their index."""
    counts = Counter(vit.labels)
    return [label if counts[label] == 1 else f"{label} ({index})" for index, label in enumerate(vit.labels)]
