"""That self-attention ignores order, as two numbers: what shuffling the patches does with positions and without."""

from __future__ import annotations

import streamlit as st

from vizvit.errors import CaptureError
from vizvit.forward.capture import Capture
from vizvit.interventions import OrderDifference, shuffled_class_difference
from vizvit.numbers import number, rounding
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say
from vizvit.pages.shared.store import once, turn
from vizvit.pages.sidebar.choice import Choice


def numbers(choice: Choice, cap: Capture, seed: int) -> None:
    t = say("experiments")

    st.markdown(f"**{t['order']}**")
    line = st.empty()

    def tell(done: int, total: int) -> None:
        line.progress(done / total, t["order_progress"].format(done=done, total=total))

    def measure() -> OrderDifference:
        tell(0, 4)
        with turn(heavy=True):
            return shuffled_class_difference(choice.vit, cap.view, seed, on_progress=tell)

    try:
        found = once((*choice.key, ("experiment", "order", seed)), measure, lambda found: 64)
    except CaptureError as error:
        st.caption(look.failure("change", error))
        return
    finally:
        line.empty()
    left, right = st.columns(2)
    left.metric(t["order_zeroed"], rounding(found.zeroed))
    right.metric(t["order_kept"], rounding(found.kept))
    note = t["order_note"] if "class" in cap.grid.prefix_names else t["order_note_mean"]
    st.caption(note.format(seed=seed, largest=number(found.largest)))
