"""Rollout: what reaches a token through all layers, step by step, beside what the last layer alone looks at."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizvit.analysis import attention_map, rollout_steps
from vizvit.analysis.fusion import HEAD_FUSIONS, rest
from vizvit.figures import steps_figure
from vizvit.forward.capture import Capture
from vizvit.numbers import fixed, share
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say, worded
from vizvit.pages.shared.names import query_name
from vizvit.pages.shared.pixels import picture
from vizvit.pages.sidebar.choice import Choice
from vizvit.texts import words


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    t = say("rollout")
    st.title(t["title"])
    look.lead(t["lead"])
    _body(choice, cap)


@st.fragment
def _body(choice: Choice, cap: Capture) -> None:
    t = say("rollout")
    options, token = _controls(cap)
    steps = choice.derived(("rollout", *options.values(), token), lambda: rollout_steps(cap, token=token, **options))
    final = steps[-1]
    last = attention_map(cap, -1, head_fusion=options["head_fusion"], token=token)
    query, weights = query_name(cap, token), look.plain(look.weights_note(choice.vit))
    box = cap.grid.box(*cap.grid.patch(token)) if _is_patch(cap, token) else None
    fusion = say("look")[options["head_fusion"]]

    left, middle, right = st.columns([5, 5, 4], gap="medium")
    with left:
        st.subheader(t["last"])
        st.image(picture(cap.view, last, box=box), width="stretch", alt=t["last_alt"].format(query=query))
        st.html(look.colour_bar(0, last.max(), t["last_bar"].format(fusion=fusion, heads=cap.num_heads)))
        last_query = query_name(cap, token, pooled=False)
        st.caption(t["last_caption"].format(layer=cap.num_layers - 1, query=last_query, weights=weights))
    with middle:
        st.subheader(t["rollout"])
        st.image(picture(cap.view, final, box=box), width="stretch", alt=t["rollout_alt"].format(query=query))
        st.html(look.colour_bar(0, final.max(), t["rollout_bar"]))
        st.caption(_caption(cap, final, options, fusion=fusion, query=query, weights=weights))
    with right:
        st.subheader(t["prediction"])
        look.prediction(cap)
        look.downloads(
            "rollout",
            lambda: _figure(cap, steps, options, token, look.weights_note(choice.vit, "en")),
            lambda: {"rollout": final, "steps": steps, "last_layer": last} | look.predicted(cap),
        )

    st.subheader(t["chain"])
    first = options["start_layer"]
    later = [t["chain_step"].format(first=first, last=first + i) for i in range(1, len(steps))]
    st.image(
        [picture(cap.view, step, box=box, side=220) for step in steps],
        caption=[t["chain_first"].format(layer=first), *later],
        width=150,
    )
    st.caption(t["chain_caption"].format(query=query, weights=weights))


def _caption(cap: Capture, final: np.ndarray, options: dict, **named: str) -> str:
    t, kept = say("rollout"), ""
    if cap.grid.num_prefix_tokens:
        kept = t["kept"].format(share=share(rest(final)))
    return t["rollout_caption"].format(
        first=options["start_layer"],
        last=cap.num_layers - 1,
        residual=fixed(options["residual"], 2),
        discarded=share(options["discard_ratio"], 0),
        kept=kept,
        **named,
    )


def _controls(cap: Capture) -> tuple[dict, int | None]:
    t, keep = say("rollout"), {"persist_state": "session"}
    columns = st.columns([3, 3, 3, 3, 4], gap="medium")
    fusion = columns[0].segmented_control(
        t["fusion"],
        HEAD_FUSIONS,
        format_func=say("look").__getitem__,
        default="mean",
        required=True,
        key="rollout_fusion",
        **keep,
    )
    residual = columns[1].slider(
        t["residual"], 0.0, 1.0, 0.5, 0.05, key="rollout_residual", help=t["residual_help"], **keep
    )
    discard = columns[2].slider(
        t["discard"], 0.0, 0.95, 0.0, 0.05, key="rollout_discard", help=t["discard_help"], **keep
    )
    start = columns[3].slider(t["start"], 0, cap.num_layers - 1, 0, key=f"rollout_start_{cap.num_layers}", **keep)
    pinned = st.session_state.get("selection", {}).get("token")
    tokens = [None, *range(cap.grid.num_prefix_tokens)]
    if "class" in cap.grid.prefix_names:
        tokens.remove(cap.grid.prefix_names.index("class"))
    if _is_patch(cap, pinned):
        tokens.append(pinned)
    token = columns[4].selectbox(
        t["read_at"],
        tokens,
        format_func=lambda token: (
            t["pinned"].format(query=query_name(cap, token)) if _is_patch(cap, token) else query_name(cap, token)
        ),
        key=worded(f"rollout_token_{cap.num_tokens}"),
    )
    return {"head_fusion": fusion, "residual": residual, "discard_ratio": discard, "start_layer": start}, token


def _is_patch(cap: Capture, token: int | None) -> bool:
    return token is not None and cap.grid.num_prefix_tokens <= token < cap.num_tokens


def _figure(cap: Capture, steps: np.ndarray, options: dict, token: int | None, weights: str):
    t, first = words("rollout"), options["start_layer"]
    caption = t["figure_caption"].format(
        query=query_name(cap, token, lang="en"),
        fusion=options["head_fusion"],
        residual=options["residual"],
        discarded=options["discard_ratio"],
        weights=weights,
    )
    titles = [t["figure_step"].format(first=first, last=first + i) for i in range(len(steps))]
    return steps_figure(cap.view, steps, titles=titles, title=t["title"], caption=caption)
