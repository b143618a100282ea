"""Whether the model in the sidebar is the study's own; where it is not, said, with the way to choose it."""

from __future__ import annotations

import streamlit as st
import timm

from vizvit.loading import SHIPPED
from vizvit.pages import look
from vizvit.pages.choice import Choice
from vizvit.pages.language import named, say
from vizvit.snapshots import snapshots

BY_NAME = ("shipped weights", "pretrained weights", "untrained weights")


def note(choice: Choice, summary: dict) -> None:
    t, vit, name = say("studies"), choice.vit, summary["model"]
    if (vit.name, vit.weights) == (name, summary["weights"]):
        return
    said = {"model": look.plain(name), "weights": named(summary["weights"])}
    said |= {"chosen": look.plain(vit.name), "chosen_weights": named(vit.weights)}
    if summary["weights"] in BY_NAME and (name == SHIPPED or timm.is_model(name.partition(".")[0])):
        st.info(t["other_model"].format(**said))
        st.button(t["choose"].format(model=said["model"]), on_click=_choose, args=(name, summary["trained"]))
    else:
        st.info(f"{t['other_model'].format(**said)} {t['choose_yourself']}")


def _choose(name: str, trained: bool) -> None:
    """As the sidebar's own boxes do it."""
    state = st.session_state
    state.model = state.model_box = name
    state.weights, state.arch, state.height, state.width = "pretrained" if trained else "random", "", "", ""
    moments = snapshots(name)
    if moments:
        state.training = len(moments) - 1
