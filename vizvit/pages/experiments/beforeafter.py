"""As it is and changed, side by side: prediction, attention, rollout, and how they differ."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from vizvit.figures import SIGNED_CMAP, overlay
from vizvit.forward.capture import Capture
from vizvit.numbers import change, share, signed
from vizvit.pages.experiments.change import Reading
from vizvit.pages.shared import look
from vizvit.pages.shared.classes import bars, likeliest
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
    t = say("experiments")
    left, middle, right = st.columns(3, gap="medium") if after else (*st.columns([1, 2], gap="medium"), None)
    shown = classes(before, after)
    with left:
        st.subheader(t["before"])
        if len(shown):
            top = max(float(reading.probabilities[shown].max()) for reading in (before, after or before))
            st.html(bars(choice.vit, before.probabilities, shown, top))
        else:
            st.caption(say("look")["no_classifier"].format(model=look.plain(choice.vit.name)))
    with middle:
        st.subheader(t["after"])
        if after is None:
            st.html(f'<p class="vz-hint">{html.escape(hint)}</p>')
        elif len(shown):
            st.html(bars(choice.vit, after.probabilities, shown, top))
    if after is None:
        return
    with right:
        st.subheader(t["difference"])
        if len(shown):
            st.html(_verdict(choice, before, after))
            if not choice.vit.trained:
                st.caption(say("look")["chance"])


def classes(before: Reading, after: Reading | None) -> list[int]:
    """The classes to show on both sides: the likeliest as it is, and what comes first once changed."""
    best = likeliest(before.probabilities)
    winner = likeliest(after.probabilities, 1) if after is not None else []
    return [*best, *(index for index in winner if index not in best)]


def _verdict(choice: Choice, before: Reading, after: Reading) -> str:
    t, (first,), (now,) = say("experiments"), likeliest(before.probabilities, 1), likeliest(after.probabilities, 1)
    was, is_ = float(before.probabilities[first]), float(after.probabilities[first])
    points = t["points"].format(points=signed(change(100 * was, 100 * is_, 1), 1))
    names = {name: html.escape(choice.vit.short_label(index)) for name, index in (("first", first), ("now", now))}
    moved = t["from_to"].format(was=share(was), **{"is": share(is_)}, **names)
    winner = (t["stays"] if first == now else t["wins"]).format(**names)
    return f'<p class="vz-change"><b>{points}</b><span>{moved}<br>{winner}</span></p>'


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
