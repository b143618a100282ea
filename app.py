"""VizViT in the browser: navigation, the shared sidebar, and the page that is open. Run: streamlit run app.py"""

from pathlib import Path

import streamlit as st

from vizvit.pages import language

ASSETS = Path(__file__).parent / "assets"
st.set_page_config(page_title="VizViT", page_icon=str(ASSETS / "icon.svg"), layout="wide")
st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
t = language.say("app")


@st.cache_resource(show_spinner=t["starting"])
def warm_up() -> None:
    """Import what takes seconds; visitors of a fresh server wait here together, with something on the screen."""
    from vizvit.pages import experiments, explanations, explore, heads, positions, rollout, store, studies, walkthrough  # noqa: F401

    store.settle_memory()


warm_up()

from vizvit.pages import (
    address,
    choice,
    experiments,
    explanations,
    explore,
    heads,
    look,
    positions,
    rollout,
    studies,
    walkthrough,
)

look.style()
language.tell_browser()
address.one_step_a_page()
st.session_state.pages = {
    place: st.Page(render, title=t[place], url_path=place, default=place == "explore")
    for place, render in (
        ("explore", explore.page),
        ("walkthrough", walkthrough.page),
        ("rollout", rollout.page),
        ("explanations", explanations.page),
        ("positions", positions.page),
        ("heads", heads.page),
        ("studies", studies.page),
        ("experiments", experiments.page),
    )
}
page = st.navigation(list(st.session_state.pages.values()), position="top")
st.session_state.choice = choice.choose()
look.phone_hint()
page.run()
