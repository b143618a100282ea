"""Explore: every head of every layer from the patch under the pointer."""

from __future__ import annotations

import streamlit as st

from vizvit import explorer
from vizvit.pages import look
from vizvit.pages.choice import Choice, note_in_address

KEY = "explorer"


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    start = selection_from_address(cap.grid)
    layers = explorer.window(cap, explorer.wanted_layer(KEY, (start or {}).get("layer", cap.num_layers - 1)))
    blob = choice.result(("explorer", layers), lambda: explorer.encode(cap, cap.view, layers), len)
    selection = explorer.mount(
        blob,
        key=KEY,
        selection=start,
        trained=choice.vit.trained,
        caption=f"{choice.image_name} as {look.weights_note(choice.vit)} sees it. "
        "Each square is the attention from the outlined query to that patch, softmax(q·kᵀ·scale) over all tokens.",
    )
    st.session_state.selection = selection
    write_selection(selection, cap.grid)


def selection_from_address(grid) -> dict | None:
    """The layer, head and query of a link, or of this person's last visit to the page; None for neither."""
    if "selection" in st.session_state:
        return st.session_state.selection
    found = {}
    for name in ("layer", "head"):
        if st.query_params.get(name, "").isdecimal():
            found[name] = int(st.query_params[name])
    query = st.query_params.get("query", "")
    row, comma, col = query.partition(",")
    try:
        if comma:
            found["token"] = grid.token(int(row), int(col))
        elif query in grid.prefix_names:
            found["token"] = grid.prefix_names.index(query)
    except (ValueError, IndexError):
        pass
    return found or None


def write_selection(selection: dict, grid) -> None:
    token = selection["token"]
    prefix = grid.num_prefix_tokens
    query = grid.prefix_names[token] if token < prefix else ",".join(map(str, grid.patch(token)))
    head = "" if selection["head"] is None else str(selection["head"])
    for name, value in (("layer", str(selection["layer"])), ("head", head), ("query", query)):
        note_in_address(name, value)
