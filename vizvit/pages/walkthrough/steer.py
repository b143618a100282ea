"""What the walk is steered with: the stage bar, and the controls of a place (patch or prefix token, layer, head)."""

from __future__ import annotations

import streamlit as st

from vizvit.explorer.walk.parts import BAR, PLACE
from vizvit.pages.shared import language
from vizvit.pages.shared.language import say, say_of
from vizvit.pages.walkthrough.place import choose, go_to
from vizvit.pages.walkthrough.scene import Here
from vizvit.walk.stages import STAGES


def stage_bar(here: Here, title: str, network: dict[str, object]) -> None:
    """The network with the stage's part lit; a click on a part, "back", "next" or an arrow key goes to another stage, a
    click on a slab to another layer. In a lesson only its stages are gone to.

    title: of the stage's lesson; network: from `spine.network`.
    """
    t, key = say_of("walk", here.vit), "walk_bar"
    words = {"stages": t["stages"], "back": t["back"], "next": t["next"], "layer": t["choose_layer"]}
    words |= {"own_block": t["spine_own_block"]}
    here.surface.live(
        BAR,
        key,
        {
            "current": here.place.stage,
            "stages": here.place.stages,
            "names": [t[f"stage_{stage.name}"] for stage in STAGES],
            "title": title,
            "network": network,
            "words": words,
            "fixed": here.surface.fixed,
        },
        on_go_change=lambda: go_to(int(st.session_state[key].go)),
        on_layer_change=lambda: choose(here.vit, layer=int(st.session_state[key].layer)),
    )


def controls(here: Here, uses: tuple[str, ...]) -> None:
    """The picture on which a click chooses the patch, and what else the stage `uses`: "prefix", "layer", "head"."""
    t, grid, place, key = say("walk"), here.grid, here.place, "walk_place"
    words = {name: t[f"choose_{name}"] for name in ("picture", "query", "patch", "layer", "head")}
    if here.surface.fixed:
        words["picture"] = t["choose_picture_fixed"]
    here.surface.live(
        PLACE,
        key,
        {
            "image": here.photo,
            "rows": grid.rows,
            "cols": grid.cols,
            "patch": place.patch,
            "token": place.token,
            "prefix": [language.named(name) for name in grid.prefix_names],
            "layers": here.vit.num_layers,
            "layer": place.layer,
            "heads": here.vit.num_heads,
            "head": place.head,
            "uses": uses,
            "found": t["found_head"] if place.found and "head" in uses else "",
            "fixed": here.surface.fixed,
            "words": words,
        },
        on_choose_change=lambda: choose(
            here.vit, **{name: int(value) for name, value in st.session_state[key].choose.items()}
        ),
    )
