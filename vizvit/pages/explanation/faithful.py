"""Faithfulness: deletion and insertion curves of the maps on the screen, beside a random order."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from vizvit.capture import Capture
from vizvit.explain import explain
from vizvit.faithful import FILLS
from vizvit.pages import look
from vizvit.pages.choice import Choice
from vizvit.pages.explanation import areas, charts
from vizvit.pages.explanation.areas import Measured
from vizvit.pages.explanation.asking import ask, asked_for, take_back
from vizvit.pages.explanation.classes import class_name
from vizvit.pages.explanation.growing import SEEDS, Growth, curves_of, measure
from vizvit.pages.explanation.panels import Panel, title_of
from vizvit.pages.explanation.settings import Wanted
from vizvit.pages.language import say, worded
from vizvit.pages.store import store

STEPS = (16, 32)
REDRAW = 0.3  # seconds between two drawings while the curves grow
CONTROL = "centre"


def show(choice: Choice, cap: Capture, wanted: Wanted, heats: dict[Panel, np.ndarray]) -> None:
    """Draw the section; once asked, measure, which ends with the next click on the page."""
    t = say("explanations")
    st.subheader(t["faithfulness"])
    st.html(f'{areas.STYLE}<p class="vz-lead">{t["faithfulness_lead"]}</p>')
    if wanted.target is None:
        st.caption(t["faithfulness_none"].format(model=choice.vit.name))
        return
    fill, steps = _controls(cap)
    maps = {panel.name: heat for panel, heat in heats.items()} | {CONTROL: _centre(choice, cap)}
    name = ("curves", wanted.view, wanted.method, tuple(maps), wanted.target, wanted.other, fill, steps)
    key = (*choice.key, name)
    asked, status = asked_for("measured", key), st.empty()
    if key not in asked:
        count = 2 * steps * (len(maps) + SEEDS)
        with status.container():
            st.caption(t["measure_note"].format(count=f"{count:,}"))
            st.button(
                t["measure"],
                key="explanations_ask_measure",
                type="primary",
                icon=":material/show_chart:",
                on_click=ask,
                args=("measured",),
            )
        return
    places = _places(status)
    measured = _measured(choice, cap, wanted, heats, maps, key, places)
    _draw(choice, wanted, heats, measured, places)
    constant = [panel for panel, heat in heats.items() if np.ptp(heat) == 0]
    _caption(choice, cap, wanted, fill, steps, bool(constant))
    look.downloads("faithfulness", arrays=lambda: _arrays(measured))


def _controls(cap: Capture) -> tuple[str, int]:
    t, patches = say("explanations"), cap.grid.rows * cap.grid.cols
    columns = st.columns([4, 4, 6], gap="medium")
    fill = columns[0].segmented_control(
        t["fill"],
        FILLS,
        format_func=lambda fill: say("explanations")[f"fill_{fill}"],
        default="blur",
        key=worded("explanations_fill"),
        required=True,
        help=t["fill_help"],
        persist_state="session",
    )
    options = [*(steps for steps in STEPS if steps < patches), patches]
    steps = columns[1].segmented_control(
        t["steps"],
        options,
        format_func=lambda steps: t["steps_all"] if steps == patches else str(steps),
        default=options[-2] if len(options) > 1 else patches,
        key=worded(f"explanations_steps_{patches}"),
        required=True,
        help=t["steps_help"],
        persist_state="session",
    )
    return fill, steps


def _centre(choice: Choice, cap: Capture) -> np.ndarray:
    return explain(choice.vit, cap.view, CONTROL, capture=cap)


@dataclass(frozen=True)
class _Places:
    """Where what comes of it is drawn: one after another while it grows."""

    status: st.delta_generator.DeltaGenerator
    deletion: st.delta_generator.DeltaGenerator
    insertion: st.delta_generator.DeltaGenerator
    table: st.delta_generator.DeltaGenerator


def _places(status) -> _Places:
    t = say("explanations")
    left, right = st.columns(2, gap="medium")
    left.markdown(f"**{t['deletion']}** · {t['deletion_note']}")
    right.markdown(f"**{t['insertion']}** · {t['insertion_note']}")
    return _Places(status, left.empty(), right.empty(), st.empty())


def _measured(
    choice: Choice,
    cap: Capture,
    wanted: Wanted,
    heats: dict[Panel, np.ndarray],
    maps: dict[str, np.ndarray],
    key: Hashable,
    places: _Places,
) -> Measured:
    """The curves, grown before one's eyes where no session has measured them yet."""
    t, (*_, fill, steps) = say("explanations"), key[-1]

    def run() -> Measured:
        with places.status.container():
            bar = st.progress(0.0, t["progress"].format(done=0, total="…"))
            st.button(
                t["cancel"],
                key="explanations_cancel",
                icon=":material/stop:",
                on_click=take_back,
                args=("measured", key),
            )
        drawn, growth = 0.0, None
        for growth in measure(
            choice.vit, cap.view, list(maps.values()), wanted.target, steps, fill, look.still_wanted()
        ):
            done, total = growth.done, growth.total
            bar.progress(done / total, t["progress"].format(done=f"{done:,}", total=f"{total:,}"))
            if time.monotonic() - drawn > REDRAW:
                _charts(choice, wanted, heats, growth, places)
                drawn = time.monotonic()
        curves, chance = curves_of(growth, wanted.target, fill)
        return Measured(dict(zip(maps, curves, strict=True)), chance)

    found = store().results.get(key, run, lambda measured: measured.nbytes, look.still_wanted())
    places.status.empty()
    return found


def _draw(choice: Choice, wanted: Wanted, heats: dict[Panel, np.ndarray], measured: Measured, places: _Places) -> None:
    """All curves, and their areas in the order of insertion minus deletion."""
    every, chance = measured.curves.values(), measured.chance
    deletion, insertion = (
        np.concatenate([[getattr(curves, side) for curves in every], getattr(chance, side)])
        for side in ("deletion", "insertion")
    )
    _charts(choice, wanted, heats, Growth(chance.fractions, deletion, insertion, 1, 1), places)
    places.table.html(areas.table(_names(choice, wanted, heats), measured, dashed=CONTROL))


def _names(choice: Choice, wanted: Wanted, heats: dict[Panel, np.ndarray]) -> dict[str, tuple[str, str]]:
    """(title, colour) of every curve, by its map's name."""
    names = {}
    for index, panel in enumerate(heats):
        colour = charts.colour_of(panel.method) if wanted.view == "methods" else charts.colour_at(index)
        names[panel.name] = title_of(choice.vit, panel, wanted), colour
    return names | {CONTROL: (say("explanations")["centre"], charts.GREY)}


def _charts(choice: Choice, wanted: Wanted, heats: dict[Panel, np.ndarray], growth: Growth, places: _Places) -> None:
    t, names = say("explanations"), _names(choice, wanted, heats)
    for side, x in (("deletion", t["deletion_axis"]), ("insertion", t["insertion_axis"])):
        values = getattr(growth, side)
        lines = [
            charts.Line(title, colour, row, dashed=name == CONTROL)
            for (name, (title, colour)), row in zip(names.items(), values, strict=False)
        ]
        chance = values[-SEEDS:].mean(0), values[-SEEDS:].std(0, ddof=1)
        y = t["probability_axis"].format(name=class_name(choice.vit, wanted.target))
        chart = charts.growing(growth.fractions, lines, chance, x=x, y=y, random=t["random"], name=side)
        getattr(places, side).altair_chart(chart, width="stretch")


def _caption(choice: Choice, cap: Capture, wanted: Wanted, fill: str, steps: int, constant: bool) -> None:
    t, patches = say("explanations"), cap.grid.rows * cap.grid.cols
    text = t["curves_caption"].format(
        name=class_name(choice.vit, wanted.target),
        share=look.share(float(cap.probabilities[wanted.target])),
        steps=steps,
        patches=patches,
        fill=t[f"fill_{fill}"],
        seeds=SEEDS,
        weights=look.weights_note(choice.vit),
    )
    st.caption(f"{text} {t['constant']}" if constant else text)


def _arrays(measured: Measured) -> dict[str, np.ndarray]:
    """Curves and areas by map; of the random orders, one row a seed."""
    arrays = {"fractions": measured.chance.fractions, "target": np.array(measured.chance.target)}
    for name, curves in [*measured.curves.items(), ("random", measured.chance)]:
        for side in ("deletion", "insertion"):
            arrays[f"{name}_{side}"] = getattr(curves, side)
            arrays[f"{name}_{side}_area"] = np.array(getattr(curves, f"{side}_area"))
    return arrays
