"""Attention knock-out: some tokens may no longer look at patches that are clicked on the picture."""

from __future__ import annotations

import streamlit as st

from vizvit.forward.capture import Capture
from vizvit.interventions import KnockOutAttention, UnseenPatches
from vizvit.pages.experiments import cells, settings
from vizvit.pages.experiments.change import Change
from vizvit.pages.experiments.picture import patches
from vizvit.pages.shared.language import say, worded
from vizvit.pages.sidebar.choice import Choice

KEY = "experiment_unseen"


def choose(choice: Choice, cap: Capture) -> Change | None:
    t = say("experiments")
    unseen = frozenset(patches(cap, KEY, state=t["patch_unseen"]))
    cells.back(KEY, cap.grid.rows, cap.grid.cols, t["all_back"])
    who = "all"
    if "class" in cap.grid.prefix_names:
        st.session_state.setdefault("experiment_blind", "cls")
        who = st.segmented_control(
            t["blind"],
            ("cls", "all"),
            format_func=lambda who: say("experiments")[f"blind_{who}"],
            key=worded("experiment_blind"),
            required=True,
            persist_state="session",
        )
    last = cap.num_layers - 1
    first, final = st.select_slider(
        t["layers"], range(last + 1), (0, last), key=f"{KEY}_layers_{last}", persist_state="session"
    )
    within = None if (first, final) == (0, last) else frozenset(range(first, final + 1))
    settings.write({})
    if not unseen:
        return None
    return Change((UnseenPatches(unseen, within) if who == "all" else KnockOutAttention(unseen, who, within),))
