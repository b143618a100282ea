"""Explore: every head of every layer from the patch under the pointer."""

from __future__ import annotations

import streamlit as st

from vizvit import explorer
from vizvit.grid import PatchGrid
from vizvit.pages.explore import compare_capture, compare_controls, features, greeting, keep
from vizvit.pages.explore.link import view_from_address, write_view
from vizvit.pages.explore.python_lines import source_lines
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say
from vizvit.pages.sidebar.choice import Choice

KEY = "explorer"


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    linked = linked_view(cap.grid)
    start = _started(choice) or linked
    greeting.greet(st.container(key="explore_greeting"), choice.vit, cap)
    place = st.container(key="explore_compare")
    plan = compare_controls.choose(place, choice, **_pointed_at(start or {}))
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
        title=f"{choice.image_name} · {choice.vit.name}",
        name=choice.image_name.rpartition(": ")[2],
        wander=st.session_state.setdefault("explorer_wanders", linked is None),
        private=st.session_state.source != "sample" or (plan is not None and compare_controls.is_private(plan)),
        python=lines,
    )
    st.session_state.selection = selection
    write_view(selection, cap.grid)
    comparison = compare_capture.load(place, plan, choice, cap)
    if comparison is not None:
        comparison.feed(KEY, layer)
    features.feed(KEY, choice, cap, selection, comparison)
    keep.answer(KEY, choice, cap, python=lines, other=comparison.cap if comparison else None)


def linked_view(grid: PatchGrid) -> dict | None:
    """The view that a link names. Similarity without a query is that to the patch in the middle: what is like a class
    token says little."""
    linked = view_from_address(grid)
    if linked and linked.get("view") == "similarity":
        linked.setdefault("token", grid.token(grid.rows // 2, grid.cols // 2))
    return linked


def _started(choice: Choice) -> dict | None:
    """What this session looked at last; of another model than before, its last layer and all heads."""
    state = st.session_state
    before = state.get("explored")
    state.explored = choice.model_key.kind
    selection = state.get("selection")
    if selection and before and before != state.explored:
        selection = selection | {"layer": -1, "head": None}
    return selection


def _pointed_at(start: dict) -> dict:
    """The query and the rectangle that the person has just settled on, before the explorer is drawn again."""
    chosen = (st.session_state.get(KEY) or {}).get("selection") or start
    return {"token": chosen.get("token", 0), "area": chosen.get("area")}
