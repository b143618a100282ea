"""The language of this session: what a link asks for, else the person's choice, else the browser's, else English."""

from __future__ import annotations

import streamlit as st

from vizvit.texts import LANGUAGES, words


def current() -> str:
    """The language to write in now: "en" or "ja"."""
    state = st.session_state
    if state.get("language") not in LANGUAGES:
        asked = st.query_params.get("lang")
        state.language = asked if asked in LANGUAGES else of_browser()
    return state.language


def of_browser() -> str:
    """The language that the browser prefers, where there is a file of it; else English."""
    preferred = (st.context.locale or "").split("-")[0].lower()
    return preferred if preferred in LANGUAGES else "en"


def say(section: str) -> dict[str, str]:
    """A section's words in the current language, as {key: template}."""
    return words(section, current())
