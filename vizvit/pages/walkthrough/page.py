"""Walkthrough: from pixels to prediction in 13 stages, each drawn from the real forward pass and recomputed by hand."""

from __future__ import annotations

import streamlit as st

from vizvit.analysis import telling_look
from vizvit.errors import CaptureError
from vizvit.pages.shared import look
from vizvit.pages.shared.language import current, kind_of, say
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.walkthrough.drawings import draw
from vizvit.pages.walkthrough.keep import downloads
from vizvit.pages.walkthrough.place import here, write
from vizvit.pages.walkthrough.scene import arrive
from vizvit.pages.walkthrough.share import sentence, share, way_out
from vizvit.pages.walkthrough.spine import network
from vizvit.pages.walkthrough.steer import stage_bar
from vizvit.pages.walkthrough.surface import OnPage
from vizvit.pages.walkthrough.text import text
from vizvit.walk.lessons import lesson
from vizvit.walk.stages import STAGES


def page() -> None:
    choice: Choice = st.session_state.choice
    choice.capture()
    _walk(choice)


@st.fragment
def _walk(choice: Choice) -> None:
    kind = kind_of(choice.vit)
    start = choice.derived("telling look", lambda: telling_look(choice.capture()), lambda _: 100)
    place = here(choice.vit, start)
    stage = STAGES[place.stage - 1].of(kind)
    try:
        now = arrive(choice, place, OnPage())
    except CaptureError as error:
        st.error(look.failure("capture", error))
        return
    numbers = now.numbers()
    title = lesson(stage.lesson, current()).title
    stage_bar(now, title, network(now))
    write(place, choice.vit)
    sentence(place)
    with st.container(key="walk_columns"):
        left, right = st.columns([6, 9], gap="medium")
    with left, st.container(key="walk_text"):
        text(place.stage, kind, numbers)
    with right:
        with st.container(key=f"walk_stage_{stage.name}"):
            why_not = draw(now, stage)
            if why_not:
                st.info(look.plain(why_not))
        if place.stage == place.stages[-1]:
            way_out() if place.tour else _lead_on()
        st.caption(look.plain(look.weights_note(choice.vit)))
        with st.container(horizontal=True):
            if not why_not:
                downloads(now)
            share(now)


def _lead_on() -> None:
    """Where the walk leads to at its end."""
    t, pages = say("walk"), st.session_state.get("pages", {})
    st.html(f'<p class="vz-lead">{t["end"]}</p>')
    for place, icon in (("experiments", ":material/experiment:"), ("explanations", ":material/search:")):
        if place in pages:  # the walk may stand alone, without the app's navigation
            st.page_link(pages[place], label=t[f"end_{place}"], icon=icon)
