"""VizViT in the browser: navigation, the shared sidebar, and the page that is open; see README.md for its start."""

import streamlit as st
from streamlit.elements import spinner

from vizvit import process
from vizvit.errors import ModelError
from vizvit.pages.shared import language
from vizvit.texts.assets import assets_dir

ASSETS = assets_dir()
spinner.DELAY_SECS = 0.3  # type: ignore[misc]  # Streamlit is silent for half a second before it says what it does
st.set_page_config(page_title="VizViT", page_icon=str(ASSETS / "icon.svg"), layout="wide")
st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
t = language.say("app")


@st.cache_resource(show_spinner=t["starting"])
def warm_up() -> None:
    """Import what takes seconds; visitors of a fresh server wait here together, with something on the screen."""
    process.wait_briefly()
    with process.for_good():
        from vizvit.pages.shared import store

        store.store().decode.start()
        from vizvit.pages import heads, positions, rollout  # noqa: F401
        from vizvit.pages.experiments import page as experiments  # noqa: F401
        from vizvit.pages.explanations import page as explanations  # noqa: F401
        from vizvit.pages.explore import page as explore  # noqa: F401
        from vizvit.pages.studies import page as studies  # noqa: F401
        from vizvit.pages.walkthrough import page as walkthrough  # noqa: F401


try:
    warm_up()
except ModelError as error:  # a limit in the environment that is none
    st.error(str(error))
    st.stop()

from vizvit.pages import heads, positions, rollout
from vizvit.pages.experiments import page as experiments
from vizvit.pages.explanations import page as explanations
from vizvit.pages.explore import link
from vizvit.pages.explore import page as explore
from vizvit.pages.shared import address, look
from vizvit.pages.sidebar import choice, model_choice
from vizvit.pages.studies import page as studies
from vizvit.pages.walkthrough import page as walkthrough

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
with model_choice.held():
    chosen = st.session_state.choice = choice.choose()
    st.session_state.setdefault(
        "selection", link.view_from_address(chosen.vit.grid)
    )  # on whichever page a link leads to
    st.set_page_config(page_title=f"{page.title} · {chosen.image_name} · VizViT")
    look.phone_hint()
    page.run()
