"""From any page to one head in the explorer, with the address that the explorer itself would write."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from vizvit.explorer.selection import start
from vizvit.pages.explore.link import view_words
from vizvit.pages.sidebar.choice import DEFAULTS, WHOLE, Choice
from vizvit.pages.sidebar.picture import OWN

SHARED = (*DEFAULTS, WHOLE, OWN, "training", "lang")


def open_head(choice: Choice, layer: int, head: int) -> NoReturn:
    """Leave the page. The query stays that of the explorer, where the model has such a token.

    The address goes along: what the explorer would change in it later would be one more step back to this page.
    """
    state, grid = st.session_state, choice.vit.grid
    selection = (
        start() | {"token": 0} | (state.get("selection") or {}) | {"layer": layer, "head": head, "view": "attention"}
    )
    if selection["token"] >= grid.num_prefix_tokens + grid.rows * grid.cols:
        selection |= {"token": 0, "area": None, "key": None}
    state.selection, state.explored = selection, choice.model_key.kind
    shared = {name: value for name, value in st.query_params.items() if name in SHARED}
    seen = {name: value for name, value in view_words(selection, grid).items() if value}
    st.switch_page(state.pages["explore"], query_params=shared | seen)
