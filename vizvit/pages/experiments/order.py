"""That self-attention ignores order, as two numbers: what shuffling the patches does with positions and without."""

from __future__ import annotations

import streamlit as st

from vizvit.errors import CaptureError
from vizvit.forward.capture import Capture
from vizvit.interventions import OrderDifference, shuffled_class_difference
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say
from vizvit.pages.shared.store import turn
from vizvit.pages.sidebar.choice import Choice

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def numbers(choice: Choice, cap: Capture, seed: int) -> None:
    t = say("experiments")

    def measure() -> OrderDifference:
        with turn(look.still_wanted()):
            return shuffled_class_difference(choice.vit, cap.view, seed)

    st.markdown(f"**{t['order']}**")
    try:
        found = choice.result(("experiment", "order", seed), measure, lambda found: 64)
    except CaptureError as error:
        st.caption(t["failed"].format(error=error))
        return
    left, right = st.columns(2)
    left.metric(t["order_zeroed"], small(found.zeroed))
    right.metric(t["order_kept"], small(found.kept))
    note = t["order_note"] if "class" in cap.grid.prefix_names else t["order_note_mean"]
    st.caption(note.format(seed=seed, largest=look.number(found.largest)))


def small(value: float) -> str:
    """A number that may be rounding alone."""
    if value >= 1e-3 or not value:
        return look.number(value)
    factor, _, power = f"{value:.1e}".partition("e")
    return f"{factor} × 10{str(int(power)).translate(_RAISED)}"
