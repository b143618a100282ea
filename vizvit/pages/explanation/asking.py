"""Long work that the person asks for, and may take back: each piece is remembered for the session."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st


def ask(kind: str) -> None:
    """For a button: what the next run shows is wanted. Not what the button was drawn with, which a setting changed just
    before it was pressed leaves behind."""
    st.session_state[f"explanations_{kind}_now"] = True


def asked_for(kind: str, key: Hashable) -> set:
    """What was asked for so far, with this if the button was just pressed."""
    asked = st.session_state.setdefault(f"explanations_{kind}", set())
    if st.session_state.pop(f"explanations_{kind}_now", False):
        asked.add(key)
    return asked


def take_back(kind: str, key: Hashable) -> None:
    """For a button: it is not wanted any more."""
    st.session_state[f"explanations_{kind}"].discard(key)
