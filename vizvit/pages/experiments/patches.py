"""Masked patches: turned grey, blurred, or dropped from the sequence."""

from __future__ import annotations

import streamlit as st

from vizvit.forward.capture import Capture
from vizvit.interventions import DropPatches
from vizvit.pages.experiments import cells, settings
from vizvit.pages.experiments.change import Change
from vizvit.pages.experiments.picture import patches
from vizvit.pages.shared.language import say, worded
from vizvit.pages.sidebar.choice import Choice

KEY = "experiment_masked"
MASKS = ("grey", "blur", "drop")


def choose(choice: Choice, cap: Capture) -> Change | None:
    t = say("experiments")
    key = settings.setting("mask", "grey", settings.one_of(MASKS))
    mask = st.segmented_control(
        t["mask"],
        MASKS,
        format_func=lambda mask: say("experiments")[f"mask_{mask}"],
        key=worded(key),
        required=True,
        persist_state="session",
    )
    chosen = patches(cap, KEY, state=t["patch_masked"])
    masked = frozenset(chosen)
    cells.back(KEY, cap.grid.rows, cap.grid.cols, t["all_back"])
    settings.write({"mask": "" if mask == "grey" else mask, "masked": cells.written(chosen, cap.grid.cols)})
    if not masked:
        return None
    return Change((DropPatches(masked),)) if mask == "drop" else Change(mask=mask, masked=masked)
