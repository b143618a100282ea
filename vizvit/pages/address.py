"""Values kept in the page's address, so that a link reopens the same view."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st


def note_in_address(name: str, value: str) -> None:
    """Keep a value in the address, an empty one out of it; what is there already is not sent again."""
    note_all({name: value})


def note_all(values: Mapping[str, str]) -> None:
    """As `note_in_address`, all at once: the browser makes a step of its history of each change that it is sent."""
    before = st.query_params.to_dict()
    after = {name: value for name, value in (before | dict(values)).items() if value or name not in values}
    if after != before:
        st.query_params.from_dict(after)
