"""Explanations: maps of what a prediction rests on, beside each other, and the tests that tell which to trust.

The whole page reruns with every control: a click then ends work that is under way, which one inside a fragment would
have to wait for. The page is drawn first, and long work done below it, so that nothing waits unseen.
"""

from __future__ import annotations

import streamlit as st

from vizvit.pages.explanations import asking, faithful, grid, sanity, settings
from vizvit.pages.explanations.panels import panels_of
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say
from vizvit.pages.sidebar.choice import Choice


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    t = say("explanations")
    st.title(t["title"])
    look.lead(t["lead"])
    with st.container(key="explanations"):
        grid.style()
        wanted = settings.choose(choice, cap)
        heats, slow = grid.show(choice, cap, wanted, panels_of(choice, wanted))
        measuring = faithful.show(choice, cap, wanted, heats)
        checking = sanity.show(choice, cap, wanted)
    asking.work_off([slow, measuring, checking])
