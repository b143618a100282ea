"""Attention knock-out: some tokens may no longer look at patches that are clicked on the picture."""

from __future__ import annotations

import streamlit as st

from vizvit.capture import Capture
from vizvit.interventions import KnockOutAttention
from vizvit.pages.choice import Choice
from vizvit.pages.experiment import settings
from vizvit.pages.experiment.change import Change
from vizvit.pages.experiment.picture import back, patches
from vizvit.pages.language import say, worded

KEY = "experiment_unseen"


def choose(choice: Choice, cap: Capture) -> Change | None:
    t = say("experiments")
    unseen = patches(cap, KEY, state=t["patch_unseen"])
    back(cap, KEY, t["all_back"])
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
        t["layers"], range(last + 1), (0, last), key=f"experiment_layers_{last}", persist_state="session"
    )
    settings.write({})
    layers = None if (first, final) == (0, last) else tuple(range(first, final + 1))
    return Change((KnockOutAttention(frozenset(unseen), to=who, layers=layers),)) if unseen else None
