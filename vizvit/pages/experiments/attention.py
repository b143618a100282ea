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
from vizvit.reading import whole

KEY = "experiment_unseen"
WHO = ("cls", "all")


def choose(choice: Choice, cap: Capture) -> Change | None:
    t = say("experiments")
    chosen = patches(cap, KEY, state=t["patch_unseen"])
    unseen = frozenset(chosen)
    cells.back(KEY, cap.grid.rows, cap.grid.cols, t["all_back"])
    who = "all"
    if "class" in cap.grid.prefix_names:
        key = settings.setting("blind", "cls", settings.one_of(WHO))
        who = st.segmented_control(
            t["blind"],
            WHO,
            format_func=lambda who: say("experiments")[f"blind_{who}"],
            key=worded(key),
            required=True,
            persist_state="session",
        )
    last = cap.num_layers - 1
    key = f"{KEY}_layers_{last}"
    # Its first value is given, not put into the state: that a slider has two ends is told by it alone, in every run.
    given = st.session_state.setdefault(f"{key}_given", _layers(st.query_params.get("layers", ""), last))
    first, final = st.select_slider(t["layers"], range(last + 1), value=given, key=key, persist_state="session")
    within = None if (first, final) == (0, last) else frozenset(range(first, final + 1))
    shown = {"unseen": cells.written(chosen, cap.grid.cols)}
    if "class" in cap.grid.prefix_names:
        shown["blind"] = "" if who == "cls" else who
    settings.write(shown | {"layers": f"{first}-{final}" if within else ""})
    if not unseen:
        return None
    return Change((UnseenPatches(unseen, within) if who == "all" else KnockOutAttention(unseen, who, within),))


def _layers(text: str, last: int) -> tuple[int, int]:
    """The layers that a link names, "2-5"; all of them where it names none."""
    ends = [whole(part, 0, last) for part in text.split("-")]
    return (ends[0], ends[1]) if len(ends) == 2 and None not in ends and ends[0] <= ends[1] else (0, last)
