"""What the walk is steered with: the stage bar, and the controls of a place (patch or prefix token, layer, head)."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from vizvit.model.vit import VitModel
from vizvit.pages.shared import language
from vizvit.pages.shared.language import say
from vizvit.pages.walkthrough.live import component
from vizvit.pages.walkthrough.place import Place, choose, go_to

_BAR = """
<nav class="bar">
  <div class="spine"><svg class="svg"></svg></div>
  <div class="go"><button class="back"></button>
    <div class="told"><h1 class="title"></h1><span class="shape"></span></div>
    <button class="next"></button></div>
</nav>
"""
_ROW = '<div class="row {part}_row"><div class="name"></div><div class="choices"></div></div>'
_PLACE = f"""
<div class="place">
  <div class="photo" tabindex="0" role="application">
    <img class="image" draggable="false"><div class="cells"></div>
    <svg class="lines" preserveAspectRatio="none"><path vector-effect="non-scaling-stroke"></path></svg>
    <div class="mark chosen"></div><div class="mark under" hidden></div>
  </div>
  <div class="side">{"".join(_ROW.format(part=part) for part in ("token", "layer", "head"))}</div>
  <p class="hint found" hidden></p>
</div>
"""


def stage_bar(vit: VitModel, place: Place, names: list[str], title: str, network: dict[str, object]) -> None:
    """The network with the stage's part lit; a click on a part, "back", "next" or an arrow key goes to another stage, a
    click on a slab to another layer. In a lesson only its stages are gone to.

    title: of the stage's lesson; network: from `spine.network`.
    """
    t = say("walk")
    words = {"stages": t["stages"], "back": t["back"], "next": t["next"], "layer": t["choose_layer"]}
    words |= {"own_block": t["spine_own_block"]}
    key = "walk_bar"
    component("vizvit_walk_bar", _BAR, "bar.js", "steer.css")(
        key=key,
        data={
            "current": place.stage,
            "stages": place.stages,
            "names": names,
            "title": title,
            "network": network,
            "words": words,
        },
        on_go_change=lambda: go_to(int(st.session_state[key].go)),
        on_layer_change=lambda: choose(vit, layer=int(st.session_state[key].layer)),
    )


def controls(vit: VitModel, place: Place, photo: str, uses: tuple[str, ...]) -> None:
    """The picture on which a click chooses the patch, and what else the stage `uses`: "prefix", "layer", "head".

    photo: the model's view as a data URL.
    """
    t, grid, key = say("walk"), vit.grid, "walk_place"
    component("vizvit_walk_place", _PLACE, "place.js", "steer.css")(
        key=key,
        data={
            "image": photo,
            "rows": grid.rows,
            "cols": grid.cols,
            "patch": list(place.patch),
            "token": place.token,
            "prefix": [language.named(name) for name in grid.prefix_names],
            "layers": vit.num_layers,
            "layer": place.layer,
            "heads": vit.num_heads,
            "head": place.head,
            "uses": list(uses),
            "found": t["found_head"] if place.found and "head" in uses else "",
            "words": {name: t[f"choose_{name}"] for name in ("picture", "query", "patch", "layer", "head")},
        },
        on_choose_change=_moved(vit, key),
    )


def _moved(vit: VitModel, key: str) -> Callable[[], None]:
    return lambda: choose(vit, **{name: int(value) for name, value in st.session_state[key].choose.items()})
