"""Studies: what a model does over many pictures, read from a folder that `python -m vizvit study` has written."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vizvit.errors import ModelError
from vizvit.pages import look, model_choice
from vizvit.pages.address import note_in_address
from vizvit.pages.choice import Choice
from vizvit.pages.language import say
from vizvit.pages.study import about, heads, methods
from vizvit.study import read_summary

COMMAND = "python -m vizvit study photos/ --out results"
NEEDED = {"model", "weights", "trained", "input_size", "layers", "heads_per_layer", "measured", "heads", "methods"}


def page() -> None:
    choice: Choice = st.session_state.choice
    t = say("studies")
    st.title(t["title"])
    look.lead(t["lead"])
    folder = _folder()
    if folder is None:
        return
    try:
        summary = read_summary(folder)
    except ModelError:
        summary = None
    if not isinstance(summary, dict) or not summary.keys() >= NEEDED:
        st.error(t["none"].format(folder=look.plain(str(folder))))
        st.code(COMMAND, language="bash")
        return
    about.show(summary, folder)
    methods.show(summary)
    heads.show(choice, summary, folder)


def _folder() -> Path | None:
    """The folder that is asked for; None, and said why, where there is none to read."""
    state, t = st.session_state, say("studies")
    if model_choice.PATHS_OFF:
        st.info(t["paths_off"])
        st.code(COMMAND, language="bash")
        return None
    state.setdefault("study_folder", st.query_params.get("study", ""))
    text = st.text_input(
        t["folder"], key="study_folder", placeholder="results", persist_state="session", width=640
    ).strip()
    note_in_address("study", text)
    if text:
        try:
            return Path(text).expanduser()
        except RuntimeError:  # the home of a user that is not there
            return Path(text)
    st.caption(t["make"])
    st.code(COMMAND, language="bash")
    return None
