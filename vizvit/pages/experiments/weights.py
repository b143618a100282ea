"""Random weights, from the head down: which maps change and which do not (Adebayo et al., NeurIPS 2018)."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizvit.analysis.ranks import rank_correlation
from vizvit.faithful import numbers_of_blocks
from vizvit.forward.capture import Capture
from vizvit.interventions import RandomWeights
from vizvit.numbers import fixed
from vizvit.pages.experiments import settings
from vizvit.pages.experiments.change import Change, Look
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say, say_of
from vizvit.pages.shared.store import once
from vizvit.pages.sidebar.choice import Choice

MAPS = ("attention", "rollout")


def choose(choice: Choice, cap: Capture) -> Change | None:
    t, numbers = say_of("experiments", choice.vit), numbers_of_blocks(choice.vit)
    first, last = numbers[0], numbers[-1]
    key = settings.setting("blocks", 1, settings.whole(0, 200))
    blocks = st.session_state[key] = min(max(st.session_state[key], first), last)
    if first < last:
        blocks = st.slider(t["blocks"], first, last, key=key, help=t["blocks_help"], persist_state="session")
    seed, held = settings.seed(t["seed"])
    settings.write({"blocks": "" if blocks == 1 else str(blocks), **held})
    return changed(blocks, seed)


def changed(blocks: int, seed: int) -> Change:
    return Change((RandomWeights(from_top=blocks, seed=seed),))


def numbers(choice: Choice, cap: Capture, as_it_is: Look, changed: Look | None) -> None:
    """The rank correlation of each map with the trained model's, and on demand its course over n."""
    t, state = say_of("experiments", choice.vit), st.session_state
    if changed is not None:
        for place, what, rank in zip(st.columns(2), MAPS, ranks(as_it_is, changed), strict=True):
            place.metric(t[f"{what}_short"], fixed(rank, 2))
    st.caption(t["ranks_note"])
    seed = state.experiment_seed
    asked = (choice.key, seed)
    if state.get("experiment_curve") != asked:
        st.button(t["curve"], icon=":material/show_chart:", on_click=_ask, args=(asked,))
        return
    chart = _chart(choice, curve(choice, cap, as_it_is, seed), state.experiment_blocks)
    st.altair_chart(chart, width="stretch")
    st.caption(t["curve_note"].format(layers=cap.num_layers, weights=look.plain(look.weights_note(choice.vit))))


def _ask(asked: tuple) -> None:
    st.session_state.experiment_curve = asked


def ranks(one: Look, two: Look) -> list[float]:
    """For each of MAPS the rank correlation."""
    maps = ((look.reading().attention, look.rollout()) for look in (one, two))
    return [rank_correlation(before, after) for before, after in zip(*maps, strict=True)]


def curve(choice: Choice, cap: Capture, as_it_is: Look, seed: int) -> np.ndarray:
    """[n, map]: rank correlations with the trained maps for the head and the last n blocks random, for each number of
    `numbers_of_blocks`."""
    t, blocks = say("experiments"), numbers_of_blocks(choice.vit)

    def compute() -> np.ndarray:
        place, rows = st.empty(), []
        for done, n in enumerate(blocks):
            place.progress(done / len(blocks), t["curve_progress"].format(done=done, of=len(blocks)))
            rows.append(ranks(as_it_is, Look(choice, cap, changed(n, seed), heavy=True)))
        place.empty()
        return np.array(rows)

    return once((*choice.key, ("experiment", "curve", seed)), compute)


def _chart(choice: Choice, values: np.ndarray, blocks: int) -> alt.LayerChart:
    t = say_of("experiments", choice.vit)
    table = pd.DataFrame(
        {
            "n": np.repeat(numbers_of_blocks(choice.vit), len(MAPS)),
            "map": [t[f"{what}_short"] for what in MAPS] * len(values),
            "rank": values.ravel(),
        }
    )
    base = alt.Chart(table).encode(
        x=alt.X("n:Q", title=t["blocks_axis"], axis=alt.Axis(tickMinStep=1, grid=False)),
        y=alt.Y("rank:Q", title=t["ranks_axis"], scale=alt.Scale(domainMax=1)),
        color=alt.Color(
            "map:N",
            title=None,
            sort=None,
            scale=alt.Scale(range=[look.quiet_mark(), look.accent()]),
            legend=alt.Legend(orient="bottom", labelLimit=400),
        ),
        tooltip=[alt.Tooltip("n:Q"), alt.Tooltip("map:N"), alt.Tooltip("rank:Q", format=".3f")],
    )
    chosen = alt.Chart(pd.DataFrame({"n": [blocks]})).encode(x="n:Q")
    here = chosen.mark_rule(strokeDash=[4, 4], opacity=0.6, color="gray")
    chart = here + base.mark_line() + base.mark_circle(size=60, opacity=1)
    sizes = {"labelFontSize": 13, "titleFontSize": 13}
    return chart.properties(height=260).configure_axis(**sizes).configure_legend(**sizes)
