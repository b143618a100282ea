"""As it is and changed, side by side: prediction, attention, rollout, and how they differ."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from vizvit.analysis.likeness import cosine
from vizvit.errors import CaptureError
from vizvit.figures import SIGNED_CMAP, overlay
from vizvit.forward.capture import Capture
from vizvit.model.vit import VitModel
from vizvit.model.work import Work
from vizvit.numbers import change, decimals, fixed, number, percent_of, signed
from vizvit.pages.experiments.change import Look, Reading
from vizvit.pages.shared import look
from vizvit.pages.shared.classes import bars, likeliest, told
from vizvit.pages.shared.language import say
from vizvit.pages.shared.names import query_name
from vizvit.pages.shared.pixels import colours, enlarged, png, stretched
from vizvit.pages.sidebar.choice import LARGE, MANY, Choice

SIDE = 448  # pixels of a map on the screen, about
MISSING = (150, 150, 150)
MAPS = ("attention", "rollout")
STEPS = ("pass", "rollout_before", "rollout_after")  # what takes long, in this order

_STYLE = """
<style>
  .st-key-beforeafter h3 { padding: 0 0 .2rem; }
  .st-key-beforeafter .vz-prob { grid-template-columns: 1fr auto; grid-auto-flow: row dense; }
  .st-key-beforeafter .vz-prob { gap: .1rem .5rem; font-size: .9rem; }
  .st-key-beforeafter .vz-prob.values i { display: none; }
  .st-key-beforeafter .vz-prob b { grid-column: 1 / -1; height: .35rem; margin-bottom: .35rem; }
  [data-testid="stMetricValue"] { font-size: 1.3rem; }
  [data-testid="stMetricLabel"], [data-testid="stMetricLabel"] * { white-space: normal !important; }
  .st-key-experiment [role="radiogroup"] { flex-wrap: wrap; overflow: visible; mask: none !important; }
  .st-key-beforeafter .vz-bar { gap: .4rem; font-size: .8rem; }
  .vz-row { margin: .6rem 0 0; font-size: .9rem; opacity: .9; } .vz-row b { font-size: 1.05rem; margin-right: .4rem; }
  .vz-change { line-height: 1.25; font-variant-numeric: tabular-nums; }
  .vz-change b { display: block; font-size: clamp(1.25rem, 1.6vw, 1.9rem); font-weight: 600; }
  .vz-change span { font-size: .9rem; opacity: .8; }
  .vz-hint { border-left: 3px solid var(--st-primary-color, #d81b60); padding: .1rem 0 .1rem .9rem; font-size: 1.05rem;
             max-width: 28rem; margin: .2rem 0 0; }
  .vz-which { display: none; font-size: .85rem; opacity: .8; margin: 0; }
  @media (min-width: 641px) { [data-testid="stElementContainer"]:has(.vz-which) { display: none; } }
  @media (max-width: 640px) {
    .vz-which { display: block; } .vz-change b { font-size: 1.5rem; }
    .st-key-beforeafter [data-testid="stHorizontalBlock"] { gap: .8rem; }
    .st-key-beforeafter [data-testid="stColumn"] { min-width: calc(50% - .4rem); flex: 1 1 calc(50% - .4rem); }
    .st-key-beforeafter [data-testid="stColumn"]:nth-child(3) { flex-grow: 0; }
    .st-key-beforeafter .vz-prob { grid-template-columns: 1fr 3.4rem; }
    .st-key-beforeafter .vz-prob b { display: none; }
  }
</style>
"""


class Board:
    """Both columns and their difference. A cell is drawn as soon as what it shows is known, and once more where its
    scale changes with what comes later; work that takes long says so in its place, and can be stopped.

    before, after: what the forward passes gave; None while that is not known. after stays None where nothing is changed
    or the change cannot be made: `hint` says why.
    """

    def __init__(self, choice: Choice, cap: Capture, as_it_is: Look, changed: Look | None, hint: str):
        self._choice, self._cap, self._as_it_is, self._changed, self._hint = choice, cap, as_it_is, changed, hint
        self.before: Reading | None = None
        self.after: Reading | None = None
        t, work, last = say("experiments"), Work.of(choice.vit), cap.num_layers - 1
        self._long = work.multiply_adds > LARGE or work.attention > MANY
        self._places = {}
        with st.container(key="beforeafter"):
            st.html(_STYLE)
            self._predictions = st.empty()
            for what in MAPS:
                query = query_name(cap, pooled=what == "rollout")
                read = t[f"{what}_read"].format(layer=last, last=last, heads=cap.num_heads, query=query)
                st.html(f'<p class="vz-row"><b>{t[what]}</b> {read}</p>')
                self._places[what] = st.empty()
            self._status = st.empty()
            self._note = st.empty()

    def readings(self) -> bool:
        """Predictions and attention, drawn as they come; False where the person has stopped the work."""
        self.before = self._as_it_is.reading()
        status = self._draw_predictions()
        self._draw_maps("attention", self.before.attention, None)
        if self._changed is None:
            return True
        if not self._goes_on(status, self._changed.has_reading(), 0):
            return False
        try:
            self.after = self._changed.reading()
        except CaptureError as error:
            self._changed, self._hint = None, look.failure("change", error, written=str)
        self._draw_predictions()
        if self.after is not None:
            self._draw_maps("attention", self.before.attention, self.after.attention)
        return True

    def rollouts(self) -> bool:
        """As `readings`, of what takes longer."""
        if not self._goes_on(self._status, self._as_it_is.has_rollout(), 1):
            return False
        one, two = self._as_it_is.rollout(), None
        if self._changed is not None:
            if not self._changed.has_rollout():
                self._draw_maps("rollout", one, None)
            if not self._goes_on(self._status, self._changed.has_rollout(), 2):
                return False
            two = self._changed.rollout()
        self._status.empty()
        self._draw_maps("rollout", one, two)
        return True

    def _goes_on(self, place, known: bool, step: int) -> bool:
        """Whether to make what is not known; what takes long says in `place` that it is made, with a way to stop it."""
        if known or not self._long:
            return True
        t, state, key = (
            say("experiments"),
            st.session_state,
            (*self._choice.key, self._changed and self._changed.change),
        )
        steps = len(STEPS) if self._changed else 2
        stopped = state.get("experiment_stopped") == key
        with place.container():
            if stopped:
                st.caption(t["stopped"])
            else:
                st.progress(step / steps, t["working"].format(step=t[f"step_{STEPS[step]}"]))
            st.button(
                t["continue"] if stopped else t["cancel"],
                key=f"experiment_stop_{step}",
                icon=":material/play_arrow:" if stopped else ":material/stop:",
                on_click=_stop,
                args=(None if stopped else key,),
            )
        return not stopped

    def _draw_predictions(self):
        """Returns the place where what is to come may be announced."""
        t, before, after, vit = say("experiments"), self.before, self.after, self._choice.vit
        shown, changing = classes(vit, before, after), self._changed is not None
        with self._predictions.container():
            left, middle, right = st.columns(3, gap="medium") if changing else (*st.columns([1, 2], gap="medium"), None)
            top = max(float(one.predictions[shown].max()) for one in (before, after) if one) if shown else 1.0
            with left:
                st.subheader(t["before"])
                if len(shown):
                    st.html(bars(vit, before.predictions, shown, top))
                else:
                    st.caption(say("look")["no_classifier"].format(model=look.plain(vit.name)))
                    st.html(_vector(before))
            with middle:
                st.subheader(t["after"])
                status = st.empty()
                if not changing:
                    status.html(f'<p class="vz-hint">{html.escape(self._hint)}</p>')
                elif after is not None:
                    status.html(bars(vit, after.predictions, shown, top) if shown else _vector(after))
            if right is not None:
                with right:
                    st.subheader(t["difference"])
                    if after is not None and shown:
                        st.html(_verdict(vit, before, after))
                        look.about_outputs(vit)
                    elif after is not None:
                        st.html(_likeness(before, after))
                        st.caption(t["cosine_note"])
        scale = (t["scales"] if changing else t["scale"]).format(weights=look.plain(look.weights_note(vit)))
        gone = after is not None and np.isnan(after.attention).any()
        self._note.caption(f"{scale} {t['missing']}" if gone else scale)
        return status

    def _draw_maps(self, what: str, one: np.ndarray, two: np.ndarray | None) -> None:
        """One row: the map as it is, the map changed on the same scale, and their difference."""
        t, query = say("experiments"), query_name(self._cap, pooled=what == "rollout")
        top = float(np.nanmax(one if two is None else np.stack([one, two]))) or 1.0
        named, unit = {"what": t[what], "query": query}, t[f"{what}_unit"]
        with self._places[what].container():
            left, middle, right = st.columns(3, gap="medium")
            with left:
                _which(t["before"])
                look.show(seen(self.before.view, one, top), width="stretch", alt=t["alt_before"].format(**named))
                st.html(look.colour_bar(0, top, unit, write=percent_of))
            if two is None:
                return
            with middle:
                _which(t["after"])
                look.show(seen(self.after.view, two, top), width="stretch", alt=t["alt_after"].format(**named))
                st.html(look.colour_bar(0, top, unit, write=percent_of))
            with right:
                _which(t["difference"])
                moved = two - one
                most = float(np.nanmax(np.abs(moved))) if np.isfinite(moved).any() else 0.0
                shown = apart(moved, most or 1.0, self.before.view.shape)
                look.show(shown, width="stretch", alt=t["alt_difference"].format(**named))
                st.html(look.colour_bar(-most if most else 0.0, most, "", SIGNED_CMAP, percent_of))


def _stop(key: tuple | None) -> None:
    st.session_state.experiment_stopped = key


def classes(vit: VitModel, before: Reading, after: Reading | None) -> list[int]:
    """The classes to show on both sides: the likeliest as it is, and what comes first once changed."""
    best = likeliest(vit, before.predictions)
    winner = likeliest(vit, after.predictions, 1) if after is not None else []
    return [*best, *(index for index in winner if index not in best)]


def _verdict(vit: VitModel, before: Reading, after: Reading) -> str:
    """How the first prediction has moved, in points of probability or in a value's own units."""
    t, (first,) = say("experiments"), likeliest(vit, before.predictions, 1)
    (now,) = likeliest(vit, after.predictions, 1)
    was, is_ = float(before.predictions[first]), float(after.predictions[first])
    names = {name: html.escape(vit.short_label(index)) for name, index in (("first", first), ("now", now))}
    if vit.outputs == "value":  # as many decimals as it takes to see the change
        places = max(decimals([was, is_]), min(decimals([is_ - was]) - 1, 4))
        moved = t["from_to"].format(was=fixed(was, places), **{"is": fixed(is_, places)}, **names)
        return _large(signed(change(was, is_, places), places), moved)
    moved = t["from_to"].format(was=told(vit, was), **{"is": told(vit, is_)}, **names)
    points = t["points"].format(points=signed(change(100 * was, 100 * is_, 1), 1))
    winner = (t["stays"] if first == now else t["wins"]).format(**names)
    return _large(points, f"{moved}<br>{winner}")


def _vector(reading: Reading) -> str:
    """The feature vector that a model without classes gives, as its size and length."""
    values = reading.features
    text = say("look")["features"].format(dim=len(values), length=number(float(np.linalg.norm(values))))
    return f'<p class="vz-change"><span>{text}</span></p>'


def _likeness(before: Reading, after: Reading) -> str:
    """The cosine of the feature vectors, for models without classes."""
    return _large(fixed(cosine(before.features, after.features), 3), say("experiments")["cosine"])


def _large(value: str, below: str) -> str:
    return f'<p class="vz-change"><b>{value}</b><span>{below}</span></p>'


def _which(name: str) -> None:
    """On a narrow screen, where the columns' headings are far above."""
    st.html(f'<p class="vz-which">{name}</p>')


def seen(view: np.ndarray, heat: np.ndarray, top: float) -> bytes:
    """A PNG of the view with the map over it, coloured from 0 to `top`; grey where there is no patch (NaN)."""
    shaded = overlay(enlarged(view, SIDE), np.nan_to_num(heat), opacity=0.65, high=top, blend="fade")
    return png(_without(shaded, np.isnan(heat)))


def apart(values: np.ndarray, most: float, shape: tuple[int, ...]) -> bytes:
    """A PNG of signed values [rows, cols], white at 0; grey where there is no patch (NaN). shape: of the view."""
    shades = colours(np.nan_to_num(values), SIGNED_CMAP, -most, most)
    height, width = (max(1, round(SIDE / max(shape[:2]))) * side for side in shape[:2])
    return png(_without(stretched(shades, (height, width)), np.isnan(values)))


def _without(rgb: np.ndarray, missing: np.ndarray) -> np.ndarray:
    if not missing.any():
        return rgb
    return np.where(stretched(missing[..., None], rgb.shape[:2]), np.array(MISSING, np.uint8), rgb)
