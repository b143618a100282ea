"""Experiments: change one thing, and see prediction, attention and rollout before and after, side by side."""

from __future__ import annotations

import streamlit as st

from vizvit.errors import CaptureError
from vizvit.forward.capture import Capture
from vizvit.pages.experiments import attention, beforeafter, heads, patches, positions, settings, temperature, weights
from vizvit.pages.experiments.change import read_after, read_before
from vizvit.pages.shared import language, look
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.language import say, worded
from vizvit.pages.sidebar.choice import Choice
from vizvit.walk import lessons

# Each lets a change be chosen; some say numbers of their own about what came of it.
EXPERIMENTS = {
    "positions": (positions.choose, positions.numbers),
    "temperature": (temperature.choose, temperature.numbers),
    "heads": (heads.choose, None),
    "attention": (attention.choose, None),
    "patches": (patches.choose, None),
    "weights": (weights.choose, weights.numbers),
}
FIRST = "positions"


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    t = say("experiments")
    st.title(t["title"])
    look.lead(t["lead"])
    _body(choice, cap)


@st.fragment
def _body(choice: Choice, cap: Capture) -> None:
    name = _choose()
    choose, numbers = EXPERIMENTS[name]
    with st.container(width=960):
        st.markdown(lessons.experiments(language.current())[name])
    wide = name == "heads" and cap.num_layers > 14  # its matrix has a column for each layer
    controls, results = st.columns([6, 9] if wide else [4, 9], gap="large")
    with controls:
        change = choose(choice, cap)
    before, after, why = read_before(choice, cap), None, say("experiments")[f"{name}_start"]
    if change is not None:
        try:
            after = read_after(choice, cap, change)
        except CaptureError as error:
            why = look.failure("change", error, written=str)
    if numbers:
        with controls:
            numbers(choice, cap, change, before, after)
    with results:
        beforeafter.show(choice, cap, before, after, why)


def _choose() -> str:
    t = say("experiments")
    key = settings.setting("experiment", FIRST, settings.one_of(tuple(EXPERIMENTS)))
    name = st.pills(
        t["choose"],
        list(EXPERIMENTS),
        format_func=lambda name: say("experiments")[f"{name}_name"],
        key=worded(key),
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    note_in_address("experiment", "" if name == FIRST else name)
    return name
