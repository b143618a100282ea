"""The lesson beside a stage: what happens, the formula, shapes, what to try, a question and its answer."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from vizvit.pages.shared import language, look
from vizvit.pages.shared.language import say
from vizvit.walk.lessons import lesson
from vizvit.walk.stages import STAGES

_STYLE = """
<style>
  .st-key-walk_bar { position: sticky; top: 3.7rem; z-index: 90; }
  @media (min-width: 641px) { .block-container:has(.st-key-walk_bar) { padding-left: 2rem; padding-right: 2rem; } }
  [data-testid="stElementContainer"]:has(> [data-testid="stEmpty"]) { display: none; }
  @media (max-width: 640px) { .st-key-walk_columns [data-testid="stColumn"]:last-child { order: -1; } }
  .st-key-walk_sentence { border-left: 5px solid ACCENT; padding: .1rem 0 .1rem 1rem; }
  .st-key-walk_sentence p { font-size: 1.2rem; font-weight: 600; }
  .st-key-walk_text .katex-display { overflow-x: auto; overflow-y: hidden; margin: .5rem 0; font-size: .95em; }
  .st-key-walk_text .katex { font-size: 1.05em; }
  .st-key-walk_try { border-left: 4px solid ACCENT; padding: .1rem 0 .1rem 1rem; gap: .3rem; }
  .st-key-walk_shapes, .st-key-walk_question { gap: .3rem; }
</style>
"""


def text(stage: int, kind: str, numbers: Mapping[str, object]) -> None:
    """Draw the lesson of a stage (from 1) with a model's numbers. kind: what the model gives, as in `Stage.of`."""
    t = say("walk")
    words = lesson(STAGES[stage - 1].of(kind).lesson, language.current()).fill(**numbers)
    st.html(_STYLE.replace("ACCENT", look.accent()))
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
