"""Walkthrough: from pixels to prediction in 13 stages, each drawn from the real forward pass and recomputed by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from vizvit.errors import CaptureError
from vizvit.pages import look
from vizvit.pages.choice import Choice
from vizvit.pages.language import named, say
from vizvit.pages.walk import attention, depth, embedding, heads, mlp, norm, patches, prediction, tokens
from vizvit.pages.walk.here import Here, arrive
from vizvit.pages.walk.place import here, write
from vizvit.pages.walk.steer import controls, stage_bar
from vizvit.pages.walk.text import text
from vizvit.walk import Absent


@dataclass(frozen=True)
class Stage:
    """name: of its word in the stage bar. shape: what runs, with the model's numbers in braces. uses: controls."""

    name: str
    draw: Callable[[Here], None]
    shape: str
    uses: tuple[str, ...] = ()


TOKEN = ("patch", "prefix", "layer")
HEAD = (*TOKEN, "head")
STAGES = (
    Stage("patches", patches.cut, "[{height}×{width}×{channels}] → [{patches}, {patch}×{patch}×{channels}]", ("cut",)),
    Stage("flatten", patches.flatten, "[{patches}, {patch}×{patch}×{channels}] → [{patches}, {values}]", ("patch",)),
    Stage("embedding", embedding.draw, "[{patches}, {values}] → [{patches}, {dim}]", ("patch",)),
    Stage("tokens", tokens.prefix, "[{patches}, {dim}] → [{prefix} + {patches}, {dim}] = [{tokens}, {dim}]"),
    Stage(
        "position", tokens.position, "[{tokens}, {dim}] + [{tokens}, {dim}] → [{tokens}, {dim}]", ("patch", "prefix")
    ),
    Stage("norm", norm.draw, "[{tokens}, {dim}] → [{tokens}, {dim}]", TOKEN),
    Stage("qkv", attention.qkv, "[{tokens}, {dim}] → 3 × [{heads}, {tokens}, {head_dim}]", HEAD),
    Stage(
        "scores",
        attention.scores,
        "[{heads}, {tokens}, {head_dim}] · [{heads}, {head_dim}, {tokens}] → [{heads}, {tokens}, {tokens}]",
        HEAD,
    ),
    Stage(
        "sum",
        attention.weighted_sum,
        "[{heads}, {tokens}, {tokens}] · [{heads}, {tokens}, {head_dim}] → [{heads}, {tokens}, {head_dim}]",
        HEAD,
    ),
    Stage(
        "heads",
        heads.draw,
        "[{heads}, {tokens}, {head_dim}] → [{tokens}, {heads}·{head_dim}] → [{tokens}, {dim}]",
        TOKEN,
    ),
    Stage("mlp", mlp.draw, "[{tokens}, {dim}] → [{tokens}, {hidden}] → [{tokens}, {dim}]", TOKEN),
    Stage("depth", depth.draw, "{layers} × ([{tokens}, {dim}] → [{tokens}, {dim}])", ("patch", "layer")),
    Stage("head", prediction.draw, "[{dim}] → [{classes}]"),
)


def page() -> None:
    choice: Choice = st.session_state.choice
    choice.capture()
    _walk(choice)


@st.fragment
def _walk(choice: Choice) -> None:
    t, place = say("walk"), here(choice.vit)
    stage = STAGES[place.stage - 1]
    try:
        now = arrive(choice, place)
    except CaptureError as error:
        st.error(say("look")["failed"].format(error=error))
        return
    numbers = now.numbers()
    stage_bar(place.stage, [t[f"stage_{step.name}"] for step in STAGES], stage.shape.format(**numbers))
    write(place, choice.vit)
    left, right = st.columns([6, 8], gap="large")
    with left, st.container(key="walk_text"):
        text(place.stage, numbers)
    with right:
        if stage.uses:
            controls(choice.vit, place, now.photo, stage.uses)
        with st.container(key=f"walk_stage_{stage.name}"):
            try:
                stage.draw(now)
            except Absent as gap:
                st.info(t[gap.key].format(**{key: named(str(value)) for key, value in gap.numbers.items()}))
        st.caption(look.weights_note(choice.vit))
