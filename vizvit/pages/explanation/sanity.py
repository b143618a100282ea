"""Sanity check: what becomes of a map while the weights are made random from the top."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import streamlit as st

from vizvit.capture import Capture
from vizvit.errors import CaptureError, ModelError
from vizvit.explain import METHODS
from vizvit.faithful import Randomisation, weight_randomisation
from vizvit.pages import look
from vizvit.pages.choice import Choice
from vizvit.pages.explanation import charts, painting
from vizvit.pages.explanation.asking import ask, asked_for, take_back
from vizvit.pages.explanation.settings import FIRST, SHOWN, SPECIFIC, Wanted
from vizvit.pages.language import say, worded
from vizvit.pages.store import store, turn

THUMB = 150


def show(choice: Choice, cap: Capture, wanted: Wanted) -> None:
    """Draw the section; each method that is asked for adds a line to the chart."""
    t = say("explanations")
    st.subheader(t["sanity"])
    look.lead(t["sanity_lead"])
    if not choice.vit.trained:
        st.caption(t["sanity_untrained"])
    method = _method(wanted)
    target = wanted.target if method in SPECIFIC else None
    key = (*choice.key, ("randomised", method, target))
    asked, status = asked_for("checked", key), st.empty()
    if key not in asked:
        with status.container():
            st.caption(t["check_note"].format(count=choice.vit.num_layers + (2 if choice.vit.labels else 1)))
            st.button(
                t["check"], key="explanations_ask_check", icon=":material/shuffle:", on_click=ask, args=("checked",)
            )
        return
    try:
        found = _found(choice, cap, method, target, key, status)
    except (CaptureError, ModelError) as error:
        st.info(t["failed"].format(error=error))
        return
    every = {method: found} | _others(choice, wanted, method, asked, cap, status)
    left, right = st.columns([5, 7], gap="large")
    with left:
        lines = [
            charts.Line(t[f"method_{name}"], charts.colour_of(name), run.correlation) for name, run in every.items()
        ]
        chart = charts.by_depth(lines, found.blocks, x=t["blocks_axis"], y=t["ranks_axis"])
        st.altair_chart(chart, width="stretch")
        notes = [t["ranks_note"], *([t["ranks_head"]] if choice.vit.labels else [])]
        st.caption(" ".join([*notes, t["ranks_full"].format(layers=choice.vit.num_layers)]))
    with right:
        _strip(choice, cap, method, found)
    look.downloads("sanity", arrays=lambda: _arrays(every))


def _method(wanted: Wanted) -> str:
    t, key = say("explanations"), worded("explanations_sanity")
    options = SHOWN if wanted.target is not None else tuple(name for name in SHOWN if name not in SPECIFIC)
    if st.session_state.get(key) not in options:
        st.session_state[key] = FIRST if FIRST in options else options[0]
    columns = st.columns([3, 9])
    return columns[0].selectbox(
        t["sanity_method"], options, format_func=lambda name: t[f"method_{name}"], key=key, persist_state="session"
    )


def _found(choice: Choice, cap: Capture, method: str, target: int | None, key: tuple, status) -> Randomisation:
    """status: the place for progress and a button to stop it."""
    t = say("explanations")

    def run() -> Randomisation:
        with status.container():
            bar = st.progress(0.0, t["sanity_progress"].format(done=0, total="…"))
            st.button(
                t["cancel"],
                key=f"explanations_cancel_check_{method}",
                icon=":material/stop:",
                on_click=take_back,
                args=("checked", key),
            )

        def tell(done: int, total: int) -> None:
            hand_on()
            bar.progress(done / total, t["sanity_progress"].format(done=done, total=total))

        with turns(look.still_wanted()) as hand_on:
            found = weight_randomisation(choice.vit, cap.view, method, target=target, on_progress=tell)
        return found

    found = store().results.get(key, run, lambda found: found.maps.nbytes, look.still_wanted())
    status.empty()
    return found


@contextmanager
def turns(wait: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """A turn, and a function that hands it on to whoever waits and takes another."""
    with ExitStack() as held:
        held.enter_context(turn(wait))

        def hand_on() -> None:
            held.close()
            time.sleep(0.002)  # without it the one that lets go would be the next again
            held.enter_context(turn(wait))

        yield hand_on


def _others(choice: Choice, wanted: Wanted, shown: str, asked: set, cap: Capture, status) -> dict[str, Randomisation]:
    """The methods that were checked before, of the same picture and class."""
    found = {}
    for method in SHOWN:
        target = wanted.target if METHODS[method].needs_target else None
        key = (*choice.key, ("randomised", method, target))
        if method != shown and key in asked:
            found[method] = _found(choice, cap, method, target, key, status)
    return found


def _strip(choice: Choice, cap: Capture, method: str, found: Randomisation) -> None:
    """The maps themselves, each on its own scale."""
    t, signed = say("explanations"), METHODS[method].signed
    titles = [t["as_trained"] if choice.vit.trained else t["as_it_is"]]
    titles += [t["blocks"].format(count=count) if count else t["head_alone"] for count in found.blocks]
    heats = [found.original, *found.maps]
    with st.container(key="explanation_strip"):
        st.image(
            [look.png(painting.painted(cap.view, heat, painting.most(heat), signed)) for heat in heats],
            caption=titles,
            width=THUMB,
        )
    st.caption(t["strip_note"].format(method=t[f"method_{method}"], weights=look.weights_note(choice.vit)))


def _arrays(every: dict[str, Randomisation]) -> dict[str, np.ndarray]:
    arrays = {"blocks": next(iter(every.values())).blocks}
    for name, run in every.items():
        arrays |= {f"{name}_correlation": run.correlation, f"{name}_maps": run.maps, f"{name}_original": run.original}
    return arrays
