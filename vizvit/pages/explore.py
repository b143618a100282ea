"""Explore: every head of every layer from the patch under the pointer."""

from __future__ import annotations

import streamlit as st

from vizvit import explorer
from vizvit.pages import compare, comparing, keep, look
from vizvit.pages.address import note_in_address
from vizvit.pages.choice import Choice
from vizvit.pages.language import say
from vizvit.pages.source import source_lines

KEY = "explorer"


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    start = selection_from_address(cap.grid)
    place = st.container()
    plan = compare.choose(place, choice, **_pointed_at(start or {}))
    layer = explorer.wanted_layer(KEY, (start or {}).get("layer", cap.num_layers - 1))
    layers = explorer.window(cap, layer)
    blob = choice.result(("explorer", layers), lambda: explorer.encode(cap, cap.view, layers), len)
    lines = source_lines(choice, plan)
    selection = explorer.mount(
        blob,
        key=KEY,
        selection=start,
        trained=choice.vit.trained,
        texts=say("explorer"),
        caption=say("explore")["caption"].format(picture=choice.image_name, weights=look.weights_note(choice.vit)),
        python=lines,
    )
    st.session_state.selection = selection
    write_selection(selection, cap.grid)
    keep.answer(KEY, choice, cap, python=lines)
    comparison = comparing.load(place, plan, choice, cap)
    if comparison is not None:
        comparison.feed(KEY, layer)


def _pointed_at(start: dict) -> dict:
    """The query and the rectangle that the person has just settled on, before the explorer is drawn again."""
    chosen = (st.session_state.get(KEY) or {}).get("selection") or start
    return {"token": chosen.get("token", 0), "area": chosen.get("area")}


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
