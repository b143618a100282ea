"""Position embeddings: as trained, zeroed, shuffled, or exchanged between two places."""

from __future__ import annotations

import streamlit as st

from vizvit.forward.capture import Capture
from vizvit.interventions import PositionEmbedding
from vizvit.pages.experiments import cells, order, settings
from vizvit.pages.experiments.change import Change, Look
from vizvit.pages.experiments.picture import patches
from vizvit.pages.shared.language import say, worded
from vizvit.pages.sidebar.choice import Choice

KINDS = ("trained", "zero", "shuffle", "swap")


def choose(choice: Choice, cap: Capture) -> Change | None:
    t = say("experiments")
    key = settings.setting("positions", "zero", settings.one_of(KINDS))
    kind = st.pills(
        t["positions"],
        KINDS,
        format_func=lambda kind: say("experiments")[f"positions_{kind}"],
        key=worded(key),
        required=True,
        persist_state="session",
    )
    shown = {"positions": "" if kind == "zero" else kind}
    change = None
    if kind == "zero":
        change = Change((PositionEmbedding("zero"),))
    elif kind == "shuffle":
        seed, held = settings.seed(t["seed"])
        shown |= held
        change = Change((PositionEmbedding("shuffle", seed=seed),))
    elif kind == "swap":
        two = patches(cap, "experiment_swap", state=t["patch_swap"], most=2)
        shown |= {"swap": cells.written(two, cap.grid.cols)}
        if len(two) == 2:
            first, second = sorted(two)
            change = Change((PositionEmbedding("swap", patches=(first, second)),))
    settings.write(shown)
    return change


def numbers(choice: Choice, cap: Capture, as_it_is: Look, changed: Look | None) -> None:
    order.numbers(choice, cap, st.session_state.get("experiment_seed", 0))
