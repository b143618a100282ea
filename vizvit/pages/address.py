"""Values kept in the page's address, so that a link reopens the same view."""

from __future__ import annotations

import streamlit as st


def note_in_address(name: str, value: str) -> None:
    """Keep a value in the address, an empty one out of it; what is there already is not sent again."""
    if value and st.query_params.get(name) != value:
        st.query_params[name] = value
    elif not value and name in st.query_params:
        del st.query_params[name]
