"""A query meets a key, in the browser: products, score, exponential, sum and share of any two tokens, and scores of
random queries and keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from vizvit import explorer
from vizvit.explorer.payload import frame
from vizvit.explorer.walk.parts import MEET, MEET_WORDS, SPREAD, SPREAD_WORDS
from vizvit.forward.capture import Capture
from vizvit.pages.shared.language import named, say
from vizvit.pages.walkthrough.place import choose
from vizvit.pages.walkthrough.scene import Here


@dataclass(frozen=True)
class OneHead:
    """A capture of one head alone, as `explorer.encode` reads it."""

    cap: Capture
    head: int
    num_heads: int = 1

    def __getattr__(self, name: str):
        return getattr(self.cap, name)

    def queries(self, layer: int) -> np.ndarray:
        return self.cap.queries(layer)[self.head, None]

    def keys(self, layer: int) -> np.ndarray:
        return self.cap.keys(layer)[self.head, None]

    def bias(self, layer: int) -> np.ndarray | None:
        bias = self.cap.bias(layer)
        return None if bias is None else bias[self.head % len(bias), None]


def meet(here: Here, mode: str) -> None:
    """mode: "keys", what the two hold; "scores", also what their product becomes."""
    t, place, cap, key = say("walk"), here.place, here.cap, f"walk_meet_{mode}"
    words = {name: t[f"meet_{name}"] for name in MEET_WORDS} | {"patch": t["choose_patch"]}
    if here.surface.fixed:
        words["picture"] = t["meet_picture_fixed"]
    blob = here.choice.result(
        ("one head", place.layer, place.head),
        # The picture comes beside it, once for all heads.
        lambda: explorer.encode(OneHead(cap, place.head), cap.view[:1, :1], [place.layer]),
        len,
    )
    session = {
        "mode": mode,
        "layer": place.layer,
        "head": place.head,
        "token": place.token,
        "tokens": here.grid.num_tokens,
        "image": here.photo,
        "fixed": here.surface.fixed,
        "prefix": [named(name) for name in here.grid.prefix_names],
        "words": words,
    }
    here.surface.live(
        MEET,
        key,
        frame(session, blob),
        on_choose_change=lambda: choose(here.vit, token=int(st.session_state[key].choose["token"])),
    )


def spread(here: Here) -> None:
    """A slider of the width of a head, begun at this model's."""
    t = say("walk")
    words = {name: t[f"spread_{name}"] for name in SPREAD_WORDS}
    data = {"dim": here.numbers()["head_dim"], "words": words}
    here.surface.live(SPREAD, "walk_spread", data)
