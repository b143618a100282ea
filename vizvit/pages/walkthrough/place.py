"""Where one is on the walk: stage, layer, head and token, shared with the Explore page and kept in the address."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from vizvit.analysis import TellingLook
from vizvit.model.vit import VitModel
from vizvit.pages.explore.link import view_from_address
from vizvit.pages.shared.address import note_all
from vizvit.reading import whole
from vizvit.walk.stages import STAGES
from vizvit.walk.tour import Tour


@dataclass(frozen=True)
class Place:
    """stage: from 1. token: the query, a patch or a prefix token. patch: (row, col), the last one that was chosen.

    found: nobody has chosen a place yet, and this one was found in the picture. tour: the lesson that one is led
    through, None on the whole walk.
    """

    stage: int
    layer: int
    head: int
    token: int
    patch: tuple[int, int]
    found: bool = False
    tour: Tour | None = None

    @property
    def stages(self) -> tuple[int, ...]:
        """Those that one walks through, in turn."""
        return self.tour.stages if self.tour else tuple(range(1, len(STAGES) + 1))


def here(vit: VitModel, look: TellingLook | None = None) -> Place:
    """The place of this session; what was not chosen, or does not exist in this model, is as in `look`, by default the
    one that was given last.

    The walk follows a patch: a prefix token that Explore starts from is taken over only once it is chosen on the walk
    or named by a link to it. So is the mean of the heads that it starts from.
    """
    state, grid = st.session_state, vit.grid
    if "walk" not in state:
        stage, linked = st.query_params.get("stage", ""), view_from_address(grid) or {}
        on_prefix = bool(stage) and linked.get("token", grid.num_tokens) < grid.num_prefix_tokens
        tour = Tour.read(st.query_params.get("lesson", ""))
        first = tour.stages[0] if tour else 1
        state.walk = {"stage": whole(stage) or first, "on_prefix": on_prefix, "patch": None, "linked": linked}
        state.walk |= {"tour": tour, "unread": tour is None and "lesson" in st.query_params}
    walk = state.walk
    tour = walk.get("tour")
    walk["look"] = look = look or walk.get("look") or TellingLook(0, 0, grid.rows // 2, grid.cols // 2, 0.0)
    selection, linked = state.get("selection") or {}, walk.get("linked") or {}
    on_patch = (selection.get("token") or 0) >= max(grid.num_prefix_tokens, 1)
    chosen = selection if selection and (on_patch or walk["on_prefix"] or selection.get("head") is not None) else linked
    token = chosen.get("token")
    token = token if token is not None and 0 <= token < grid.num_tokens else None
    if token is not None and token >= grid.num_prefix_tokens:
        walk["patch"] = grid.patch(token)
    row, col = walk["patch"] or (look.row, look.col)
    if row >= grid.rows or col >= grid.cols:
        row, col = grid.rows // 2, grid.cols // 2
    if token is None or (token < grid.num_prefix_tokens and not walk["on_prefix"]):
        token = grid.token(row, col)
    layer = look.layer if chosen.get("layer") is None else chosen["layer"]
    head = chosen.get("head")
    if head is None:
        head = look.head if layer == look.layer else 0
    stage = min(max(walk["stage"], 1), len(STAGES))
    return Place(
        stage=tour.nearest(stage) if tour else stage,
        layer=layer % vit.num_layers if -vit.num_layers <= layer < vit.num_layers else vit.num_layers - 1,
        head=head if 0 <= head < vit.num_heads else 0,
        token=token,
        patch=(row, col),
        found=not chosen and walk["patch"] is None and look.excess > 0,
        tour=tour,
    )


def go_to(stage: int) -> None:
    st.session_state.walk |= {"stage": stage, "unread": False}


def follow(tour: Tour | None) -> None:
    """Be led through a lesson, or walk freely again."""
    st.session_state.walk["tour"] = tour


def choose(vit: VitModel, **changes: int) -> None:
    """Move to another layer, head or token, here and on the Explore page."""
    state, now = st.session_state, here(vit)
    selection = {"layer": now.layer, "head": now.head, "token": now.token} | changes
    if "token" in changes:
        state.walk["on_prefix"] = changes["token"] < vit.grid.num_prefix_tokens
    state.selection = (state.get("selection") or {}) | selection | {"area": None}


def words(place: Place, vit: VitModel) -> dict[str, str]:
    """What the address holds of a place, by name."""
    grid = vit.grid
    prefix = place.token < grid.num_prefix_tokens
    query = grid.prefix_names[place.token] if prefix else ",".join(map(str, grid.patch(place.token)))
    values = {"stage": place.stage, "layer": place.layer, "head": place.head, "query": query}
    return {name: str(value) for name, value in values.items()} | {"lesson": place.tour.written() if place.tour else ""}


def write(place: Place, vit: VitModel) -> None:
    """Keep the place in the address."""
    note_all(words(place, vit))
