"""Sanity check: what becomes of a map while the weights are made random from the top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from vizvit.errors import CaptureError, ModelError
from vizvit.explanations import METHODS
from vizvit.faithful import Randomisation, numbers_of_blocks, randomised_map
from vizvit.forward.capture import Capture
from vizvit.numbers import thousands
from vizvit.pages.explanations import charts, painting
from vizvit.pages.explanations.asking import Work, asked_for, button, by_batches, is_heavy, under_way
from vizvit.pages.explanations.panels import explained, is_there
from vizvit.pages.explanations.settings import FIRST, SHOWN, SPECIFIC, Wanted
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say, worded
from vizvit.pages.shared.pixels import png
from vizvit.pages.shared.store import is_made, once, turn
from vizvit.pages.sidebar.choice import Choice

ALL = "all"
THUMB, SMALL_THUMB, ROW = 150, 110, 1000  # pixels

Tell = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Check:
    """One method's maps, of the model as it is and with ever more random blocks; all sessions share each of them."""

    choice: Choice
    cap: Capture
    method: str
    target: int | None

    @property
    def key(self) -> tuple:
        return (*self.choice.key, ("randomised", self.method, self.target))

    @property
    def passes(self) -> int:
        """Forward and backward through the model, for the maps that there are not yet."""
        return METHODS[self.method].passes * self.missing

    @property
    def counts(self) -> list[int]:
        return numbers_of_blocks(self.choice.vit)

    @property
    def missing(self) -> int:
        """How many maps there are not yet."""
        changed = sum(not is_made((*self.key, count)) for count in self.counts)
        return changed + (not is_there(self.choice, self.method, self.target))

    def original(self, tell: Tell) -> np.ndarray:
        return explained(self.choice, self.cap, self.method, self.target, tell)

    def changed(self, count: int, tell: Tell) -> np.ndarray:
        def run() -> np.ndarray:
            with turn(heavy=True) as mine:
                view, vit = self.cap.view, self.choice.vit
                options = by_batches(vit, self.method, mine.hand_on, tell)
                return randomised_map(vit, view, self.method, count, target=self.target, **options)

        return once((*self.key, count), run)

    def found(self, tell: Tell, step: Callable[[], None] = lambda: None) -> Randomisation:
        """step: called after each map. Raises CaptureError or ModelError where there is none."""
        heats = []
        for make in (self.original, *(lambda tell, count=count: self.changed(count, tell) for count in self.counts)):
            heats.append(make(tell))
            step()
        return Randomisation.of(self.counts, heats[0], heats[1:], self.target)


def show(choice: Choice, cap: Capture, wanted: Wanted) -> Work | None:
    """Draw the section; each method that is asked for adds a line to the chart."""
    t = say("explanations")
    st.subheader(t["sanity"])
    look.lead(t["sanity_lead"])
    if not choice.vit.trained:
        st.caption(t["sanity_untrained"])
    every = {
        method: Check(choice, cap, method, wanted.target if method in SPECIFIC else None)
        for method in SHOWN
        if wanted.target is not None or method not in SPECIFIC
    }
    chosen = _method(tuple(every))
    light = [method for method in every if not is_heavy(choice.vit, method)]
    methods = light if chosen == ALL else [chosen]
    keys = [every[method].key for method in methods]
    asked, status = asked_for("checked", keys), st.empty()
    with st.container(key="explanation_checked"):
        place, after = st.empty(), st.container()
    there = [method for method in methods if not every[method].missing]  # another session may have made them
    checks = {method: check for method, check in every.items() if check.key in asked or method in there}
    done = {method: check for method, check in checks.items() if not check.missing}
    if done:
        _draw(choice, cap, methods, done, place)
    if not checks.keys() >= set(methods):
        with status.container():
            left_out = [method for method in every if method not in light] if chosen == ALL else []
            st.caption(_price([every[method] for method in methods], left_out))
            button("checked", t["check"], icon=":material/shuffle:")
    elif len(done) < len(checks):
        line = under_way(status, "checked", [check.key for check in checks.values() if check.missing])
        return Work("checked", lambda: _check(choice, cap, methods, checks, _Places(status, line, place, after)))
    if done:
        _downloads(done, after)
    return None


@dataclass(frozen=True)
class _Places:
    """Where it says how far it is (`status`, and the line in it), what has come of it, and what is below."""

    status: st.delta_generator.DeltaGenerator
    line: st.delta_generator.DeltaGenerator
    found: st.delta_generator.DeltaGenerator
    after: st.delta_generator.DeltaGenerator


def _method(options: tuple[str, ...]) -> str:
    t, key = say("explanations"), worded("explanations_sanity")
    options = (ALL, *options)
    if st.session_state.get(key) not in options:
        st.session_state[key] = FIRST if FIRST in options else options[1]
    columns = st.columns([3, 9])
    return columns[0].selectbox(
        t["sanity_method"],
        options,
        format_func=lambda name: t["sanity_all"] if name == ALL else t[f"method_{name}"],
        key=key,
        persist_state="session",
    )


def _price(checks: list[Check], left_out: list[str]) -> str:
    """How much work it is."""
    t = say("explanations")
    said = [t["check_note"].format(count=sum(check.missing for check in checks))]
    for check in checks:
        if METHODS[check.method].passes > 1 and check.missing:
            said.append(_many(t["check_passes"], check.method, count=thousands(check.passes)))
    return " ".join([*said, *(_many(t["check_without"], method) for method in left_out)])


def _many(text: str, method: str, **more: str) -> str:
    """A sentence about a method that takes many passes."""
    return text.format(method=say("explanations")[f"method_{method}"], each=METHODS[method].passes, **more)


def _check(choice: Choice, cap: Capture, methods: list[str], checks: dict[str, Check], places: _Places) -> None:
    """Make the maps that are missing, method by method."""
    t, made, done = say("explanations"), 0, {}
    total = sum(len(check.counts) + 1 for check in checks.values())

    def bar(part: float = 0.0) -> None:
        places.line.progress((made + part) / total, t["sanity_progress"].format(done=made, total=total))

    def step() -> None:
        nonlocal made
        made += 1
        bar()

    bar()
    for method, check in checks.items():
        after = made + len(check.counts) + 1
        try:
            check.found(lambda passed, of: bar(passed / of), step)
        except (CaptureError, ModelError) as error:
            made = after
            places.after.info(look.failure("map", error))
            continue
        done[method] = check
        _draw(choice, cap, methods, done, places.found)
    places.status.empty()
    if done:
        _downloads(done, places.after)


def _draw(choice: Choice, cap: Capture, methods: list[str], done: dict[str, Check], place) -> None:
    """The chart of all methods, and the maps of those that are chosen."""
    t = say("explanations")
    every = _found(done)
    moving = {method: run for method, run in every.items() if np.isfinite(run.correlation).any()}
    several = len(methods) > 1  # not how many there are yet: while they grow, everything stays in its place
    with place.container():
        left, right = st.columns([5, 7], gap="large")
        below = st.container()
    with left:
        if moving:
            lines = [
                charts.Line(method, t[f"method_{method}"], charts.colour_of(method), run.correlation)
                for method, run in moving.items()
            ]
            blocks = next(iter(moving.values())).blocks
            st.altair_chart(charts.by_depth(lines, blocks, x=t["blocks_axis"], y=t["ranks_axis"]), width="stretch")
        for method, run in every.items():
            if np.ptp(run.original) == 0:
                st.info(t["original_constant"].format(method=t[f"method_{method}"]))
    with left if not several else right:
        notes = [t["ranks_note"], *([t["ranks_head"]] if choice.vit.labels else [])]
        st.caption(" ".join([*notes, t["ranks_full"].format(layers=choice.vit.num_layers)]))
    with right if not several else below:
        _strips(choice, cap, {method: run for method, run in every.items() if method in methods}, several)


def _found(done: dict[str, Check]) -> dict[str, Randomisation]:
    return {method: check.found(lambda passed, of: None) for method, check in done.items()}


def _downloads(done: dict[str, Check], place) -> None:
    with place:
        look.downloads("sanity", arrays=lambda: _arrays(_found(done)))


def _strips(choice: Choice, cap: Capture, every: dict[str, Randomisation], several: bool) -> None:
    """The maps themselves, each on its own scale; of several methods a row each."""
    t = say("explanations")
    titles = [t["as_trained"] if choice.vit.trained else t["as_it_is"]]
    for method, run in every.items():
        titles[1:] = [t["blocks"].format(count=count) if count else t["head_alone"] for count in run.blocks]
        if several:
            st.html(f'<p class="vz-map"><b>{t[f"method_{method}"]}</b></p>')
        heats, signed = [run.original, *run.maps], METHODS[method].signed
        look.show(
            [png(painting.painted(cap.view, heat, painting.most(heat), signed)) for heat in heats],
            caption=titles,
            width=min(SMALL_THUMB, ROW // len(heats)) if several else THUMB,
        )
    if not every:
        return
    name = t["sanity_all"] if several else t[f"method_{next(iter(every))}"]
    weights = look.plain(look.weights_note(choice.vit))
    st.caption(t["strip_note"].format(method=name, weights=weights))


def _arrays(every: dict[str, Randomisation]) -> dict[str, np.ndarray]:
    arrays = {"blocks": next(iter(every.values())).blocks}
    for name, run in every.items():
        arrays |= {f"{name}_correlation": run.correlation, f"{name}_maps": run.maps, f"{name}_original": run.original}
    return arrays
