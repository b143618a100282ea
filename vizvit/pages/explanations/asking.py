"""Long work that the person asks for and may take back. What was asked for last goes first; the rest says it waits.

What is asked for is remembered for the session, what comes of it for all sessions: a run that the next click ends is
taken up again where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vizvit.explanations import METHODS
from vizvit.model.vit import VitModel
from vizvit.pages.shared.language import say

HEAVY = 1e11  # passes · weights · tokens of what takes longer than one waits for a page
HEAVY_BATCH = 2  # passes before others have their turn


@dataclass(frozen=True)
class Work:
    """Something that takes long, of a kind: "measured", "checked" or "heavy"."""

    kind: str
    run: Callable[[], None]


def work_off(works: Iterable[Work | None]) -> None:
    """Do what there is to do, one after another."""
    latest = st.session_state.get("explanations_latest", [])
    waiting = [work for work in works if work is not None]
    for work in sorted(waiting, key=lambda work: latest.index(work.kind) if work.kind in latest else len(latest)):
        work.run()


def ask(kind: str) -> None:
    """For a button: what the next run shows is wanted. Not what the button was drawn with, which a setting changed just
    before it was pressed leaves behind."""
    state = st.session_state
    state[f"explanations_{kind}_now"] = True
    state.explanations_latest = [kind, *(other for other in state.get("explanations_latest", []) if other != kind)]


def asked_for(kind: str, keys: Iterable[Hashable]) -> set:
    """What was asked for so far, with these if the button was just pressed."""
    asked = st.session_state.setdefault(f"explanations_{kind}", set())
    if st.session_state.pop(f"explanations_{kind}_now", False):
        asked |= set(keys)
    return asked


def take_back(kind: str, keys: Iterable[Hashable]) -> None:
    """For a button: they are not wanted any more."""
    st.session_state[f"explanations_{kind}"] -= set(keys)


def button(kind: str, label: str, **options) -> None:
    """What is pressed to ask."""
    st.button(label, key=f"explanations_ask_{kind}", on_click=ask, args=(kind,), **options)


def under_way(place, kind: str, keys: Iterable[Hashable]) -> DeltaGenerator:
    """A line that waits in `place`, an `st.empty`, with a button to take it back; returns the line, for a bar."""
    t = say("explanations")
    with place.container():
        line = st.empty()
        line.caption(t["queued"])
        st.button(
            t["cancel"],
            key=f"explanations_cancel_{kind}",
            icon=":material/stop:",
            on_click=take_back,
            args=(kind, tuple(keys)),
        )
    return line


def is_heavy(vit: VitModel, method: str) -> bool:
    """Whether a map takes so long that it is made on demand."""
    passes = METHODS[method].passes
    return passes > 1 and passes * vit.num_parameters * vit.grid.num_tokens > HEAVY


def by_batches(
    vit: VitModel, method: str, hand_on: Callable[[], None], tell: Callable[[int, int], None] | None
) -> dict:
    """Options for a method that takes many passes: between two batches others have their turn, and it tells of it."""
    if "on_progress" not in METHODS[method].options:
        return {}

    def between(done: int, total: int) -> None:
        if done:
            hand_on()
        if tell is not None:
            tell(done, total)

    return {"on_progress": between} | ({"batch": HEAVY_BATCH} if is_heavy(vit, method) else {})
