"""The lesson beside a stage: what happens, the formula, shapes, what to try, a question and its answer."""

from __future__ import annotations

import streamlit as st

from vizvit.lessons import STAGES, lesson
from vizvit.pages import language
from vizvit.pages.language import say


def text(stage: int, numbers: dict[str, object]) -> None:
    """Draw the lesson of a stage (from 1) with a model's numbers."""
    t = say("walk")
    words = lesson(STAGES[stage - 1], language.current()).fill(**numbers)
    st.title(words.title)
    st.markdown(words.what)
    st.markdown(words.formula)
    with st.container(key="walk_shapes"):
        st.markdown(f"**{t['shapes']}**")
        st.markdown(words.shapes)
    with st.container(key="walk_try"):
        st.markdown(f"**{t['try']}**")
        st.markdown(words.try_)
    with st.container(key="walk_question"):
        st.markdown(f"**{t['question']}**")
        st.markdown(words.question)
        if st.toggle(t["answer"], key=f"walk_answer_{stage}"):
            st.markdown(words.answer)
