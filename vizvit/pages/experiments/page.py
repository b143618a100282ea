"""Experiments: change one thing, and see prediction, attention and rollout before and after, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from vizvit.pages.experiments import attention, heads, patches, positions, settings, temperature, weights
from vizvit.pages.experiments.beforeafter import Board
from vizvit.pages.experiments.change import Look
from vizvit.pages.shared import language, look
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.language import say, worded
from vizvit.pages.sidebar.choice import Choice
from vizvit.walk import lessons


@dataclass(frozen=True)
class Experiment:
    """choose: draws the controls and returns the change. at_once, at_last: what it says of what came of it: numbers
    that the forward passes give, and such as take longer."""

    choose: Callable
    at_once: Callable | None = None
    at_last: Callable | None = None


EXPERIMENTS = {
    "positions": Experiment(positions.choose, at_last=positions.numbers),
    "temperature": Experiment(temperature.choose, at_once=temperature.numbers),
    "heads": Experiment(heads.choose),
    "attention": Experiment(attention.choose),
    "patches": Experiment(patches.choose),
    "weights": Experiment(weights.choose, at_last=weights.numbers),
}
FIRST = "positions"


def page() -> None:
    """Drawn from top to bottom with what is known; then what is not is made, the quickest first, and each part drawn
    as it comes. A click ends a run that is under way: no fragment, in which it would have to wait."""
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    t = say("experiments")
    st.title(t["title"])
    look.lead(t["lead"])
    name = _choose()
    experiment = EXPERIMENTS[name]
    with st.container(width=960):
        st.markdown(lessons.experiments(language.current())[name])
    wide = name == "heads" and cap.num_layers > 14  # its matrix has a column for each layer
    controls, results = st.columns([6, 9] if wide else [5, 10], gap="large")
    with controls, st.container(key="experiment"):
        change = experiment.choose(choice, cap)
        at_once, at_last = st.container(), st.container()
    as_it_is, changed = Look(choice, cap), Look(choice, cap, change) if change is not None else None
    with results:
        board = Board(choice, cap, as_it_is, changed, t[f"{name}_start"])
    if not board.readings():
        return
    if experiment.at_once:
        with at_once:
            experiment.at_once(choice, cap, board.before, board.after)
    if board.rollouts() and experiment.at_last:
        with at_last:
            experiment.at_last(choice, cap, as_it_is, changed if board.after is not None else None)


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
