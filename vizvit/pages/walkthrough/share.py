"""A lesson to share: a teacher picks stages and writes a sentence for each; a link carries it.

What stands on the page goes along: picture, model, patch, layer, head and language.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urlencode

import streamlit as st

from vizvit.pages.shared import look
from vizvit.pages.shared.language import current, kind_of, say, say_of, worded
from vizvit.pages.walkthrough import export
from vizvit.pages.walkthrough.place import Place, follow, words
from vizvit.pages.walkthrough.scene import Here
from vizvit.walk.lessons import lesson
from vizvit.walk.stages import STAGES
from vizvit.walk.tour import LONGEST, SENTENCE, Tour


def share(here: Here) -> None:
    """Where a teacher makes a lesson."""
    t = say("walk")
    with st.popover(t["share"], icon=":material/school:", key="walk_share", on_change="rerun") as room:
        if not room.open:
            return
        st.caption(t["share_lead"])
        tour = _picked(here)
        if tour is None:
            return
        if st.session_state.get("source") != "sample":
            st.info(t["share_own"])
        if tour.length > LONGEST:
            st.warning(t["share_long"].format(length=tour.length, most=LONGEST))
            return
        address = link(here, tour)
        st.caption(t["share_link"])
        st.code(address, language=None)
        st.link_button(t["share_open"], address, icon=":material/open_in_new:")
        _file(here, tour)


def _file(here: Here, tour: Tour) -> None:
    """The lesson as a file, which is made when it is asked for."""
    t, state, place = say("walk"), st.session_state, replace(here.place, stage=0, tour=tour)
    wanted = (here.choice.key, place, current())
    if st.button(t["share_make"], icon=":material/draft:"):
        with st.spinner(t["share_making"]):
            state.walk["file"] = wanted, export.build(here, tour)
    made, html = state.walk.get("file") or (None, "")
    if made == wanted:
        st.download_button(t["share_file"], html, f"{here.vit.name}-lesson.html", "text/html", on_click="ignore")


def _picked(here: Here) -> Tour | None:
    t, tour, kind = say_of("walk", here.vit), here.place.tour, kind_of(here.vit)
    stages = st.pills(
        t["share_stages"],
        range(1, len(STAGES) + 1),
        selection_mode="multi",
        default=tour.stages if tour else None,
        format_func=lambda stage: f"{stage} {t[f'stage_{STAGES[stage - 1].name}']}",
        key=worded("walk_picked"),
        persist_state="session",
    )
    notes = {
        stage: st.text_input(
            f"{stage} {lesson(STAGES[stage - 1].of(kind).lesson, current()).title}",
            tour.note(stage) if tour else "",
            max_chars=SENTENCE,
            placeholder=t["share_sentence"],
            key=f"walk_sentence_{stage}",
            persist_state="session",
        )
        for stage in sorted(stages)
    }
    return Tour.of(notes) if notes else None


def link(here: Here, tour: Tour) -> str:
    """The address at which a student walks the lesson, with all that stands on the page."""
    place = replace(here.place, stage=tour.stages[0], tour=tour)
    values = st.query_params.to_dict() | words(place, here.vit) | {"lang": current()}
    kept = {name: value for name, value in values.items() if value}
    return f"{st.context.url}?{urlencode(kept, quote_via=quote)}"


def sentence(place: Place) -> None:
    """The teacher's sentence on top of a stage; before it, what a student has to know of the picture."""
    t = say("walk")
    if st.session_state.walk.get("unread"):
        st.warning(t["lesson_unread"])
    if place.tour and st.session_state.get("picture_lost"):
        st.info(t["lesson_own"])
    if place.tour and (note := place.tour.note(place.stage)):
        with st.container(key="walk_sentence"):
            st.markdown(look.plain(note))


def way_out() -> None:
    """At a lesson's end."""
    st.button(say("walk")["lesson_end"].format(count=len(STAGES)), on_click=follow, args=(None,), key="walk_free")
