"""VizViT in the browser: navigation, the shared sidebar, and the page that is open. Run: streamlit run app.py"""

import sys
from pathlib import Path

import streamlit as st

st.set_page_config(
    page_title="VizViT",
    page_icon=str(Path(__file__).parent / "assets" / "icon.svg"),
    layout="wide",
    initial_sidebar_state="auto",
)

if "torch" not in sys.modules:  # the first visitor of a fresh server sees the page before PyTorch is there
    with st.spinner("Starting PyTorch, once for this server…"):
        import vizvit.pages.store
        from vizvit.pages import heads

        vizvit.pages.store.settle_memory()

from vizvit.pages import choice, explore, heads, look, positions, rollout

look.style()
st.session_state.pages = {
    place: st.Page(render, title=title, url_path=place, default=place == "explore")
    for place, title, render in (
        ("explore", "Explore", explore.page),
        ("rollout", "Rollout", rollout.page),
        ("positions", "Positions", positions.page),
        ("heads", "Heads", heads.page),
    )
}
page = st.navigation(list(st.session_state.pages.values()), position="top")
st.session_state.choice = choice.choose()
look.phone_hint()
page.run()
