"""Attention temperature: scores divided by T before the softmax, and the scaling by 1/√d taken away."""

from __future__ import annotations

import math

import streamlit as st

from vizvit.forward.capture import Capture
from vizvit.interventions import NoScaling, Temperature
from vizvit.numbers import change as change_of
from vizvit.numbers import fixed, number, signed
from vizvit.pages.experiments import settings
from vizvit.pages.experiments.change import Change, Reading
from vizvit.pages.shared.language import say
from vizvit.pages.shared.names import query_name
from vizvit.pages.sidebar.choice import Choice
from vizvit.reading import real

# 0.1 to 10, ten steps a decade
DECADE = (1.0, 1.3, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0)
TEMPERATURES = (*(round(step / 10, 2) for step in DECADE), *DECADE, 10.0)
START = 2.0


def choose(choice: Choice, cap: Capture) -> Change | None:
    t = say("experiments")
    key = settings.setting("temperature", START, nearest)
    temperature = st.select_slider(
        t["temperature"], TEMPERATURES, key=key, format_func=lambda value: f"{value:g}", persist_state="session"
    )
    scaling = settings.setting("scaling", False, {"off": True}.get)
    unscaled = st.toggle(
        t["no_scaling"], key=scaling, help=t["no_scaling_help"].format(dim=cap.head_dim), persist_state="session"
    )
    settings.write(
        {"temperature": "" if temperature == START else f"{temperature:g}", "scaling": "off" if unscaled else ""}
    )
    changes = (
        *((NoScaling(),) if unscaled else ()),
        *((Temperature(temperature),) if temperature != 1 else ()),
    )
    return Change(changes) if changes else None


def nearest(text: str) -> float | None:
    """The step that is nearest on the slider; None for what is no positive number."""
    asked = real(text, 1e-9, 1e9)
    return min(TEMPERATURES, key=lambda step: abs(math.log(step / asked))) if asked else None


def numbers(choice: Choice, cap: Capture, before: Reading, after: Reading | None) -> None:
    """The entropy of the last layer's attention, before and after."""
    t = say("experiments")
    left, right = st.columns(2)
    left.metric(t["entropy_before"], t["nats"].format(value=fixed(before.entropy, 2)))
    if after is not None:
        moved = change_of(before.entropy, after.entropy, 2)
        right.metric(
            t["entropy_after"],
            t["nats"].format(value=fixed(after.entropy, 2)),
            delta=signed(moved, 2),
            delta_color="off",
            delta_arrow="down" if moved < 0 else "up" if moved > 0 else "off",  # Streamlit knows no true minus sign
        )
    most = math.log(cap.num_tokens)
    st.caption(
        t["entropy_note"].format(
            layer=cap.num_layers - 1,
            query=query_name(cap, pooled=False),
            most=number(most),
            tokens=cap.num_tokens,
        )
    )
