"""A range of layers to choose."""

from __future__ import annotations

import streamlit as st

from vizvit.capture import Capture
from vizvit.pages.language import say


def choose(cap: Capture, key: str) -> frozenset[int] | None:
    """The layers from one to another, inclusive; None for all of them."""
    last = cap.num_layers - 1
    first, final = st.select_slider(
        say("experiments")["layers"],
        range(last + 1),
        (0, last),
        key=f"{key}_layers_{last}",
        persist_state="session",
    )
    return None if (first, final) == (0, last) else frozenset(range(first, final + 1))
