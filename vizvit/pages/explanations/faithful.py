"""Faithfulness: deletion and insertion curves of the maps on the screen, beside a random order."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from vizvit.explanations import explain
from vizvit.faithful import FILLS, Curves, without_order
from vizvit.faithful.stream import patch_counts
from vizvit.forward.capture import Capture
from vizvit.pages.explanations import areas, charts
from vizvit.pages.explanations.asking import Work, asked_for, button, under_way
from vizvit.pages.explanations.classes import class_name
from vizvit.pages.explanations.following import chance_of, classes_of, curves_of, followed
from vizvit.pages.explanations.growing import Growing, grow, growing
from vizvit.pages.explanations.panels import Panel, title_of
from vizvit.pages.explanations.settings import Wanted
from vizvit.pages.shared import look
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.language import say, worded
from vizvit.pages.shared.tables import STYLE
from vizvit.pages.sidebar.choice import Choice

STEPS = (16, 32)
SEEDS = 8
REDRAW = 0.3  # seconds between two drawings while the curves grow
SIDES = ("deletion", "insertion")


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is to be measured: the curves of each map, of the middle first, and of random orders, one a seed."""

    choice: Choice
    cap: Capture
    wanted: Wanted
    heats: dict[Panel, np.ndarray]
    fill: str
    steps: int
    maps: dict[Panel, Growing]
    centre: Growing
    randoms: list[Growing]

    @property
    def every(self) -> list[Growing]:
        return [*self.maps.values(), self.centre, *self.randoms]

    @property
    def passes(self) -> tuple[int, int]:
        """Done, and in all."""
        return 2 * sum(curves.done for curves in self.every), 2 * self.steps * len(self.every)

    @property
    def complete(self) -> bool:
        done, total = self.passes
        return done == total

    @property
    def fractions(self) -> np.ndarray:
        counts = patch_counts(self.centre.order.size, self.steps)
        return (counts / counts[-1]).astype(np.float32)

    def follow(self, curves: Growing, target: int | None) -> np.ndarray:
        """[side, S+1]"""
        return followed(curves.values, self.wanted, target)

    def names(self) -> Iterable[tuple[Panel, str, str]]:
        """Each map with its title and its colour."""
        for index, panel in enumerate(self.maps):
            of_method = self.wanted.view == "methods"
            colour = charts.colour_of(panel.method) if of_method else charts.colour_at(index)
            yield panel, title_of(self.choice.vit, panel, self.wanted), colour

    def rows(self) -> list[areas.Row]:
        """Once all is measured."""
        rows = []
        for panel, title, colour in self.names():
            target = self.wanted.target if panel.target is None else panel.target
            sides = [self.follow(curves, target) for curves in (self.maps[panel], self.centre, *self.randoms)]
            own, centre = (curves_of(side, self.fractions, target, self.fill) for side in sides[:2])
            rows.append(areas.Row(title, colour, own, chance_of(sides[2:], self.fractions, target, self.fill), centre))
        return rows


def show(choice: Choice, cap: Capture, wanted: Wanted, heats: dict[Panel, np.ndarray]) -> Work | None:
    """Draw the section; once asked, there is work to do, which ends with the next click on the page."""
    t = say("explanations")
    st.subheader(t["faithfulness"])
    st.html(f'{STYLE}<p class="vz-lead">{t["faithfulness_lead"]}</p>')
    if wanted.target is None or len(choice.vit.labels) == 1:
        why = t["faithfulness_none"] if wanted.target is None else t["faithfulness_one"]
        st.caption(why.format(model=look.plain(choice.vit.name)))
        return None
    if not heats:
        return None
    measurement = _measurement(choice, cap, wanted, heats, *_controls(cap))
    done, total = measurement.passes
    fill, steps = measurement.fill, measurement.steps
    key = (*choice.key, "curves", wanted.view, wanted.method, wanted.target, wanted.other, fill, steps)
    asked, status = asked_for("measured", [key]), st.empty()
    if key not in asked and not measurement.complete:  # another session may have measured it
        with status.container():
            note = t["continue_note"] if done else t["measure_note"]
            st.caption(note.format(done=f"{done:,}", count=f"{total:,}"))
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
    columns = st.columns([4, 4, 6], gap="medium")
    options = [*(steps for steps in STEPS if steps < patches), patches]
    default = options[-2] if len(options) > 1 else patches
    fill_key, steps_key = worded("explanations_fill"), worded(f"explanations_steps_{patches}")
    asked = st.query_params.get("steps", "")
    st.session_state.setdefault(fill_key, _one_of(FILLS, st.query_params.get("fill"), FILLS[0]))
    st.session_state.setdefault(
        steps_key, patches if asked == "all" else _one_of(options, int(asked) if asked.isdecimal() else None, default)
    )
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


def _measurement(
    choice: Choice, cap: Capture, wanted: Wanted, heats: dict[Panel, np.ndarray], fill: str, steps: int
) -> Measurement:
    """With what there is of it: each map's curves are kept by themselves, for all sessions."""
    vit, classes = choice.vit, classes_of(wanted)

    def of(name, heat: np.ndarray) -> Growing:
        key = (*choice.key, ("curve", name, classes, fill, steps))
        return growing(key, vit, heat, classes, steps, look.still_wanted())

    maps = {panel: of((panel.method, panel.target, panel.other), heat) for panel, heat in heats.items()}
    centre = of("centre", explain(vit, cap.view, "centre", capture=cap))
    shape = vit.grid.rows, vit.grid.cols
    randoms = [of(("random", seed), np.random.default_rng(seed).random(shape)) for seed in range(SEEDS)]
    return Measurement(choice, cap, wanted, heats, fill, steps, maps, centre, randoms)


@dataclass(frozen=True)
class _Places:
    """Where what comes of it is drawn: one after another while it grows."""

    deletion: st.delta_generator.DeltaGenerator
    insertion: st.delta_generator.DeltaGenerator
    after: st.delta_generator.DeltaGenerator


def _places(measurement: Measurement) -> _Places:
    t, what = say("explanations"), look.plain(_followed(measurement))
    left, right = st.columns(2, gap="medium")
    left.markdown(f"**{t['deletion']}** · {what} · {t['deletion_note']}")
    right.markdown(f"**{t['insertion']}** · {what} · {t['insertion_note']}")
    return _Places(left.empty(), right.empty(), st.container())


def _followed(measurement: Measurement) -> str:
    """The probability that the curves follow, in words."""
    wanted, vit = measurement.wanted, measurement.choice.vit
    names = {"this": class_name(vit, wanted.target)}
    if wanted.other is not None:
        names["that"] = class_name(vit, wanted.other)
    return say("explanations")[f"axis_{wanted.view}"].format(**names)


def _measure(measurement: Measurement, places: _Places, status, line) -> None:
    """Grow the curves before one's eyes, wherever they stand."""
    t, drawn, wait = say("explanations"), 0.0, look.still_wanted()
    choice, wanted = measurement.choice, measurement.wanted

    def tell() -> None:
        done, total = measurement.passes
        line.progress(done / total, t["progress"].format(done=f"{done:,}", total=f"{total:,}"))

    tell()
    classes = classes_of(wanted)
    for _ in grow(choice.vit, measurement.cap.view, measurement.every, classes, measurement.fill, wait):
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
        look.downloads("faithfulness", arrays=lambda: _arrays(measurement, rows))


def _charts(measurement: Measurement, places: _Places) -> None:
    t, apart = say("explanations"), measurement.wanted.view == "classes"
    axes = {"deletion": t["deletion_axis"], "insertion": t["insertion_axis"]}
    for side, name in enumerate(SIDES):
        lines = []
        for panel, title, colour in measurement.names():
            values = measurement.follow(measurement.maps[panel], panel.target)[side]
            lines.append(charts.Line(panel.name, title, colour, values))
            if apart:
                random = np.mean([measurement.follow(curves, panel.target)[side] for curves in measurement.randoms], 0)
                beside = t["random_of"].format(name=title)
                lines.append(charts.Line(f"{panel.name}_random", beside, colour, random, charts.DOTTED))
        band = None
        if not apart:
            centre = measurement.follow(measurement.centre, None)[side]
            lines.append(charts.Line("centre", t["centre"], charts.GREY, centre, charts.DASHED))
            randoms = np.stack([measurement.follow(curves, None)[side] for curves in measurement.randoms])
            band = randoms.mean(0), randoms.std(0, ddof=1)
        chart = charts.growing(
            measurement.fractions,
            lines,
            band,
            x=axes[name],
            y=_followed(measurement),
            random=t["random"],
            name=name,
        )
        getattr(places, name).altair_chart(chart, width="stretch")


def _caption(measurement: Measurement) -> None:
    t, wanted, vit, cap = say("explanations"), measurement.wanted, measurement.choice.vit, measurement.cap
    names = {"this": look.plain(class_name(vit, wanted.target)), "seeds": SEEDS}
    whole = cap.probabilities[list(classes_of(wanted))][:, None]
    names["share"] = look.share(float(followed(whole, wanted, wanted.target)[0]))
    if wanted.other is not None:
        names["that"] = look.plain(class_name(vit, wanted.other))
    said = [t[f"followed_{wanted.view}"].format(**names)]
    said.append(
        t["curves_caption"].format(
            steps=measurement.steps,
            patches=cap.grid.rows * cap.grid.cols,
            fill=t[f"fill_{measurement.fill}"],
            weights=look.plain(look.weights_note(vit)),
        )
    )
    patches = measurement.centre.order.size
    ties = {panel: without_order(heat) for panel, heat in measurement.heats.items()}
    tied = [
        t["tied"].format(name=look.plain(title), count=ties[panel], patches=patches)
        for panel, title, _ in measurement.names()
        if ties[panel]
    ]
    if tied:
        said.append(t["no_order"].format(maps=t["list"].join(tied)))
    st.caption(" ".join(said))


def _arrays(measurement: Measurement, rows: list[areas.Row]) -> dict[str, np.ndarray]:
    """Curves and areas by map; of random orders, one row a seed. Where each map follows its own class, so do they."""
    arrays = {"fractions": measurement.fractions, "target": np.array(measurement.wanted.target)}
    for panel, row in zip(measurement.maps, rows, strict=True):
        of = f"{panel.name}_" if measurement.wanted.view == "classes" else ""
        for name, curves in ((panel.name, row.curves), (f"{of}centre", row.centre), (f"{of}random", row.chance)):
            arrays |= _curve_arrays(name, curves)
    return arrays


def _curve_arrays(name: str, curves: Curves) -> dict[str, np.ndarray]:
    found = {}
    for side in SIDES:
        found[f"{name}_{side}"] = getattr(curves, side)
        found[f"{name}_{side}_area"] = np.array(getattr(curves, f"{side}_area"))
    return found
