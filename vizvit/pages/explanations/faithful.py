"""Faithfulness: deletion and insertion curves of the maps on the screen, beside a random order."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import streamlit as st

from vizvit.faithful import FILLS
from vizvit.forward.capture import Capture
from vizvit.numbers import thousands
from vizvit.pages.explanations import areas, charts
from vizvit.pages.explanations.asking import Work, asked_for, button, under_way
from vizvit.pages.explanations.following import classes_of, followed
from vizvit.pages.explanations.growing import grow
from vizvit.pages.explanations.measurement import SEEDS, SIDES, Measurement, begin
from vizvit.pages.explanations.panels import Panel
from vizvit.pages.explanations.settings import Wanted
from vizvit.pages.shared import look
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.classes import class_name, told
from vizvit.pages.shared.language import say, say_of, worded
from vizvit.pages.shared.tables import STYLE
from vizvit.pages.sidebar.choice import Choice
from vizvit.reading import whole

STEPS = (16, 32)
REDRAW = 0.3  # seconds between two drawings while the curves grow


def show(choice: Choice, cap: Capture, wanted: Wanted, heats: dict[Panel, np.ndarray]) -> Work | None:
    """Draw the section; once asked, there is work to do, which ends with the next click on the page."""
    t = say_of("explanations", choice.vit)
    st.subheader(t["faithfulness"])
    st.html(f'{STYLE}<p class="vz-lead">{t["faithfulness_lead"]}</p>')
    alone = len(choice.vit.labels) == 1 and choice.vit.outputs == "softmax"
    if wanted.target is None or alone:
        why = t["faithfulness_none"] if wanted.target is None else t["faithfulness_one"]
        st.caption(why.format(model=look.plain(choice.vit.name)))
        return None
    if not heats:
        return None
    measurement = begin(choice, cap, wanted, heats, *_controls(cap))
    done, total = measurement.passes
    fill, steps = measurement.fill, measurement.steps
    key = (*choice.key, "curves", wanted.view, wanted.method, wanted.target, wanted.other, fill, steps)
    asked, status = asked_for("measured", [key]), st.empty()
    if key not in asked and not measurement.complete:  # another session may have measured it
        with status.container():
            note = t["continue_note"] if done else t["measure_note"]
            st.caption(note.format(done=thousands(done), count=thousands(total)))
            button("measured", t["continue"] if done else t["measure"], type="primary", icon=":material/show_chart:")
        if any(curves.done > 1 for curves in measurement.every):  # a point alone is no line
            _charts(measurement, _places(measurement))
        return None
    places = _places(measurement)
    if done:
        _charts(measurement, places)
    if measurement.complete:
        _finish(measurement, places)
        return None
    line = under_way(status, "measured", [key])
    return Work("measured", lambda: _measure(measurement, places, status, line))


def _controls(cap: Capture) -> tuple[str, int]:
    t, patches = say("explanations"), cap.grid.rows * cap.grid.cols
    columns = st.columns([5, 4, 5], gap="medium")
    options = [*(steps for steps in STEPS if steps < patches), patches]
    default = options[-2] if len(options) > 1 else patches
    fill_key, steps_key = worded("explanations_fill"), worded(f"explanations_steps_{patches}")
    asked = st.query_params.get("steps", "")
    st.session_state.setdefault(fill_key, _one_of(FILLS, st.query_params.get("fill"), FILLS[0]))
    st.session_state.setdefault(steps_key, patches if asked == "all" else _one_of(options, whole(asked), default))
    fill = columns[0].segmented_control(
        t["fill"],
        FILLS,
        format_func=lambda fill: say("explanations")[f"fill_{fill}"],
        key=fill_key,
        required=True,
        help=t["fill_help"],
        persist_state="session",
    )
    steps = columns[1].segmented_control(
        t["steps"],
        options,
        format_func=lambda steps: t["steps_all"] if steps == patches else str(steps),
        key=steps_key,
        required=True,
        help=t["steps_help"],
        persist_state="session",
    )
    note_in_address("fill", "" if fill == FILLS[0] else fill)
    note_in_address("steps", "" if steps == default else "all" if steps == patches else str(steps))
    return fill, steps


def _one_of(options, asked, default):
    return asked if asked in options else default


@dataclass(frozen=True)
class _Places:
    """Where what comes of it is drawn: one after another while it grows."""

    deletion: st.delta_generator.DeltaGenerator
    insertion: st.delta_generator.DeltaGenerator
    after: st.delta_generator.DeltaGenerator


def _places(measurement: Measurement) -> _Places:
    t, what = say_of("explanations", measurement.choice.vit), look.plain(_followed(measurement))
    left, right = st.columns(2, gap="medium")
    left.markdown(f"**{t['deletion']}** · {what} · {t['deletion_note']}")
    right.markdown(f"**{t['insertion']}** · {what} · {t['insertion_note']}")
    return _Places(left.empty(), right.empty(), st.container())


def _followed(measurement: Measurement) -> str:
    """What the curves follow, in words."""
    wanted, vit = measurement.wanted, measurement.choice.vit
    names = {"this": class_name(vit, wanted.target)}
    if wanted.other is not None:
        names["that"] = class_name(vit, wanted.other)
    return say_of("explanations", vit)[f"axis_{wanted.view}"].format(**names)


def _measure(measurement: Measurement, places: _Places, status, line) -> None:
    """Grow the curves before one's eyes, wherever they stand."""
    t, drawn = say("explanations"), 0.0
    choice, wanted = measurement.choice, measurement.wanted

    def tell() -> None:
        done, total = measurement.passes
        line.progress(done / total, t["progress"].format(done=thousands(done), total=thousands(total)))

    tell()
    classes = classes_of(wanted)
    for _ in grow(choice.vit, measurement.cap.view, measurement.every, classes, measurement.fill):
        tell()
        if time.monotonic() - drawn > REDRAW:
            _charts(measurement, places)
            drawn = time.monotonic()
    status.empty()
    _charts(measurement, places)
    _finish(measurement, places)


def _finish(measurement: Measurement, places: _Places) -> None:
    """Below the curves, once they are complete: their areas, what they mean, and their numbers."""
    rows = measurement.rows()
    with places.after:
        st.html(areas.table(rows, shared=measurement.wanted.view != "classes"))
        _caption(measurement)
        look.downloads("faithfulness", arrays=lambda: measurement.arrays(rows))


def _charts(measurement: Measurement, places: _Places) -> None:
    t, apart = say("explanations"), measurement.wanted.view == "classes"
    axes = {"deletion": t["deletion_axis"], "insertion": t["insertion_axis"]}
    for side, name in enumerate(SIDES):
        lines = []
        for panel, title, colour in measurement.names():
            values = measurement.follow(measurement.maps[panel], panel.target)[side]
            lines.append(charts.Line(panel.name, title, colour, values))
            if apart:
                random = _chance(measurement, panel.target, side)[0]
                beside = t["random_of"].format(name=title)
                lines.append(charts.Line(f"{panel.name}_random", beside, colour, random, charts.DOTTED))
        band = None
        if not apart:
            centre = measurement.follow(measurement.centre, None)[side]
            lines.append(charts.Line("centre", t["centre"], charts.GREY, centre, charts.DASHED))
            band = _chance(measurement, None, side)
        chart = charts.growing(
            measurement.fractions,
            lines,
            band,
            x=axes[name],
            y=_followed(measurement),
            random=t["random"],
            name=name,
            values=measurement.choice.vit.outputs == "value",
        )
        getattr(places, name).altair_chart(chart, width="stretch")


def _chance(measurement: Measurement, target: int | None, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over the random orders, [S+1] each; NaN until two of them are complete."""
    orders = [curves for curves in measurement.randoms if curves.done == curves.steps]
    if len(orders) < 2:
        return (np.full(measurement.steps + 1, np.nan),) * 2
    values = np.stack([measurement.follow(curves, target)[side] for curves in orders])
    return values.mean(0), values.std(0, ddof=1)


def _caption(measurement: Measurement) -> None:
    wanted, vit, cap = measurement.wanted, measurement.choice.vit, measurement.cap
    t = say_of("explanations", vit)
    names = {"this": look.plain(class_name(vit, wanted.target)), "seeds": SEEDS}
    whole = cap.predictions[list(classes_of(wanted))][:, None]
    names["share"] = told(vit, followed(whole, wanted, wanted.target)[0])
    if wanted.other is not None:
        names["that"] = look.plain(class_name(vit, wanted.other))
    said = [t[f"followed_{wanted.view}"].format(**names)]
    if vit.outputs == "value":
        said.append(t["areas_of_values"])
    said.append(
        t["curves_caption"].format(
            steps=measurement.steps,
            patches=cap.grid.rows * cap.grid.cols,
            fill=t[f"fill_{measurement.fill}"],
            weights=look.plain(look.weights_note(vit)),
        )
    )
    patches, ties = measurement.centre.order.size, measurement.ties()
    tied = [
        t["tied"].format(name=look.plain(title), count=ties[panel], patches=patches)
        for panel, title, _ in measurement.names()
        if panel in ties
    ]
    if tied:
        said.append(t["no_order"].format(maps=t["list"].join(tied)))
    st.caption(" ".join(said))
