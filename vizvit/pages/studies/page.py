"""Studies: what a model does over many pictures, read from a folder that `python -m vizvit study` has written."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vizvit.errors import ModelError
from vizvit.numbers import thousands
from vizvit.pages.shared import look, paths
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.language import say
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.studies import about, heads, methods
from vizvit.reading import kind_of, path_of
from vizvit.study import find_studies, read_summary
from vizvit.study.merge import SUMMARY

COMMAND = "python -m vizvit study photos/ --out results"
LISTED = 12


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
        why = t["malformed"] if kind_of(folder / SUMMARY) == "file" else t["none"]
        st.error(why.format(folder=look.plain(str(folder))))
        st.code(COMMAND, language="bash")
        return
    about.show(summary, folder)
    if not any(summary["heads"].values()):
        st.warning(t["nothing"])
        return
    methods.show(summary)
    heads.show(choice, summary)


def _folder() -> Path | None:
    """The folder that is asked for; None, and said why, where there is none to read."""
    state, t = st.session_state, say("studies")
    if not paths.allowed():
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
            return path_of(text)
        except ModelError as error:
            st.error(look.plain(str(error)))
            return None
    _offer()
    st.caption(t["make"])
    st.code(COMMAND, language="bash")
    return None


def _offer() -> None:
    """The studies below the working directory, where commands write them, each to be opened by a click."""
    t, here = say("studies"), Path.cwd()
    studies = find_studies(here)
    if not studies:
        return
    st.markdown(t["found"].format(folder=look.plain(str(here))))
    with st.container(gap=None):
        for folder in studies[:LISTED]:
            summary, name = read_summary(folder), str(folder.relative_to(here))
            said = {
                "model": look.plain(summary["model"]),
                "measured": thousands(summary["measured"]),
                "name": look.plain(name),
            }
            st.button(
                t["found_one"].format(**said),
                key=f"study_at_{name}",
                type="tertiary",
                icon=":material/folder_open:",
                on_click=_use,
                args=(name,),
            )


def _use(folder: str) -> None:
    st.session_state.study_folder = folder
