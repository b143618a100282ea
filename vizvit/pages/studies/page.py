"""Studies: what a model does over many pictures, read from a folder that `python -m vizvit study` has written; first
the one that comes with VizViT, of its own model."""

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
from vizvit.study import find_studies, read_summary, shipped_study
from vizvit.study.merge import SUMMARY

COMMAND = "python -m vizvit study photos/ --out results"
LISTED = 12


def page() -> None:
    choice: Choice = st.session_state.choice
    t = say("studies")
    st.title(t["title"])
    look.lead(t["lead"])
    folder = asked_folder()
    if folder is not None:
        _show(choice, folder)
    st.subheader(t["own"], divider="gray")
    _choose_folder()


def asked_folder() -> Path | None:
    """The folder of the study that is looked at: the person's own, or else the one that comes with VizViT; None where
    what they gave cannot be one."""
    state = st.session_state
    text = state.setdefault("study_folder", st.query_params.get("study", "")).strip() if paths.allowed() else ""
    try:
        return path_of(text) if text else shipped_study()
    except ModelError as error:
        st.error(look.plain(str(error)))
        return None


def _show(choice: Choice, folder: Path) -> None:
    t = say("studies")
    try:
        summary = read_summary(folder)
    except ModelError:
        why = t["malformed"] if kind_of(folder / SUMMARY) == "file" else t["none"]
        st.error(why.format(folder=look.plain(str(folder))))
        return
    about.show(summary, folder)
    if not any(summary["heads"].values()):
        st.warning(t["nothing"])
        return
    methods.show(summary)
    heads.show(choice, summary)


def _choose_folder() -> None:
    """Where a study of one's own is made, and opened."""
    t = say("studies")
    st.caption(t["make"])
    st.code(COMMAND, language="bash")
    if not paths.allowed():
        st.info(t["paths_off"])
        return
    text = st.text_input(
        t["folder"],
        key="study_folder",
        placeholder="results",
        help=t["folder_help"],
        persist_state="session",
        width=640,
    )
    note_in_address("study", text.strip())
    if not text.strip():
        _offer()


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
