"""As it is and changed, side by side: prediction, attention, rollout, and how they differ."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from vizvit.analysis.likeness import cosine
from vizvit.figures import SIGNED_CMAP, overlay
from vizvit.forward.capture import Capture
from vizvit.model.vit import VitModel
from vizvit.numbers import change, decimals, fixed, number, signed
from vizvit.pages.experiments.change import Reading
from vizvit.pages.shared import look
from vizvit.pages.shared.classes import bars, likeliest, told
from vizvit.pages.shared.language import say
from vizvit.pages.shared.names import query_name
from vizvit.pages.shared.pixels import colours, enlarged, png, stretched
from vizvit.pages.sidebar.choice import Choice

SIDE = 448  # pixels of a map on the screen, about
MISSING = (150, 150, 150)

_STYLE = """
<style>
  .st-key-beforeafter h3 { padding: 0 0 .2rem; }
  .st-key-beforeafter .vz-prob { grid-template-columns: 1fr auto; grid-auto-flow: row dense; }
  .st-key-beforeafter .vz-prob { gap: .1rem .5rem; font-size: .9rem; }
  .st-key-beforeafter .vz-prob.values i { display: none; }
  .st-key-beforeafter .vz-prob b { grid-column: 1 / -1; height: .35rem; margin-bottom: .35rem; }
  [data-testid="stMetricValue"] { font-size: 1.3rem; }
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
    .st-key-beforeafter .vz-prob.values i { display: none; }
  .st-key-beforeafter .vz-prob b { display: none; }
  }
</style>
"""


def show(choice: Choice, cap: Capture, before: Reading, after: Reading | None, hint: str) -> None:
    """Draw both columns and their difference. after: None while nothing is changed or can be; `hint` says why."""
    with st.container(key="beforeafter"):
        st.html(_STYLE)
        _predictions(choice, before, after, hint)
        t = say("experiments")
        _maps(cap, "attention", before, after)
        _maps(cap, "rollout", before, after)
        scale = (t["scale"] if after is None else t["scales"]).format(weights=look.plain(look.weights_note(choice.vit)))
        gone = after is not None and np.isnan(after.attention).any()
        st.caption(f"{scale} {t['missing']}" if gone else scale)


def _predictions(choice: Choice, before: Reading, after: Reading | None, hint: str) -> None:
    t, vit = say("experiments"), choice.vit
    left, middle, right = st.columns(3, gap="medium") if after else (*st.columns([1, 2], gap="medium"), None)
    shown = classes(vit, before, after)
    with left:
        st.subheader(t["before"])
        if shown:
            top = max(float(reading.predictions[shown].max()) for reading in (before, after or before))
            st.html(bars(vit, before.predictions, shown, top))
        else:
            st.caption(say("look")["no_classifier"].format(model=look.plain(vit.name)))
            st.html(_vector(before))
    with middle:
        st.subheader(t["after"])
        if after is None:
            st.html(f'<p class="vz-hint">{html.escape(hint)}</p>')
        else:
            st.html(bars(vit, after.predictions, shown, top) if shown else _vector(after))
    if after is None:
        return
    with right:
        st.subheader(t["difference"])
        if shown:
            st.html(_verdict(vit, before, after))
            look.about_outputs(vit)
        else:
            st.html(_likeness(before, after))
            st.caption(t["cosine_note"])


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


def _maps(cap: Capture, what: str, before: Reading, after: Reading | None) -> None:
    """One row: the map as it is, the map changed on the same scale, and their difference."""
    t = say("experiments")
    query = query_name(cap, pooled=what == "rollout")
    one = getattr(before, what)
    two = None if after is None else getattr(after, what)
    top = float(np.nanmax(one if two is None else np.stack([one, two]))) or 1.0
    title, last = t[what], cap.num_layers - 1
    read = t[f"{what}_read"].format(layer=last, last=last, heads=cap.num_heads, query=query)
    st.html(f'<p class="vz-row"><b>{title}</b> {read}</p>')
    left, middle, right = st.columns(3, gap="medium")
    unit = t[f"{what}_unit"]
    with left:
        _which(t["before"])
        alt = t["alt_before"].format(what=title, query=query)
        st.image(seen(before.view, one, top), width="stretch", alt=alt)
        st.html(look.colour_bar(0, top, unit))
    if two is None:
        return
    with middle:
        _which(t["after"])
        alt = t["alt_after"].format(what=title, query=query)
        st.image(seen(after.view, two, top), width="stretch", alt=alt)
        st.html(look.colour_bar(0, top, unit))
    with right:
        _which(t["difference"])
        moved = two - one
        most = float(np.nanmax(np.abs(moved))) if np.isfinite(moved).any() else 0.0
        alt = t["alt_difference"].format(what=title, query=query)
        st.image(apart(moved, most or 1.0, before.view.shape), width="stretch", alt=alt)
        st.html(look.colour_bar(-most if most else 0.0, most, "", SIGNED_CMAP))


def _which(name: str) -> None:
    """On a narrow screen, where the columns' headings are far above."""
    st.html(f'<p class="vz-which">{name}</p>')


def seen(view: np.ndarray, heat: np.ndarray, top: float) -> bytes:
    """A PNG of the view with the map over it, coloured from 0 to `top`; grey where there is no patch (NaN)."""
    shaded = overlay(enlarged(view, SIDE), np.nan_to_num(heat), opacity=0.65, high=top)
    return png(_without(shaded, np.isnan(heat)))


def apart(values: np.ndarray, most: float, shape: tuple[int, ...]) -> bytes:
    """A PNG of signed values [rows, cols], white at 0; grey where there is no patch (NaN). shape: of the view."""
    shades = colours(np.nan_to_num(values), SIGNED_CMAP, -most, most)
    height, width = (max(1, round(SIDE / max(shape[:2]))) * side for side in shape[:2])
    return png(_without(stretched(shades, (height, width)), np.isnan(values)))


def _without(rgb: np.ndarray, missing: np.ndarray) -> np.ndarray:
    if not missing.any():
        return rgb
    return np.where(stretched(missing[..., None], rgb.shape[:2]), np.uint8(MISSING), rgb)
