"""Rollout: what reaches a token through all layers, step by step, beside what the last layer alone looks at."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizvit.analysis import attention_map, describe_query, rollout_steps
from vizvit.analysis.fusion import HEAD_FUSIONS
from vizvit.capture import Capture
from vizvit.figures import steps_figure
from vizvit.pages import look
from vizvit.pages.choice import Choice


def page() -> None:
    choice: Choice = st.session_state.choice
    cap = choice.capture()
    st.title("Attention rollout")
    look.lead(
        "One layer's attention says where it looks in the tokens of the layer before, which are mixtures already. "
        "Rollout multiplies the layers through, Ã<sub>L</sub> ⋯ Ã<sub>1</sub>, and so follows the mixing "
        "back to the patches."
    )
    _body(choice, cap)


@st.fragment
def _body(choice: Choice, cap: Capture) -> None:
    options, token = _controls(cap)
    steps = choice.result(("rollout", *options.values(), token), lambda: rollout_steps(cap, token=token, **options))
    final = steps[-1]
    last = attention_map(cap, -1, head_fusion=options["head_fusion"], token=token)
    query = describe_query(cap, token)
    box = cap.grid.box(*cap.grid.patch(token)) if _is_patch(cap, token) else None
    note = look.weights_note(choice.vit)
    fusion, prefix = options["head_fusion"], cap.grid.num_prefix_tokens

    left, middle, right = st.columns([5, 5, 4], gap="medium")
    with left:
        st.subheader("Last layer alone")
        st.image(look.picture(cap.view, last, box=box), width="stretch", alt=f"Attention of the last layer, {query}")
        look.colour_bar(0, last.max(), f"attention, {fusion} of {cap.num_heads} heads")
        st.caption(
            f"Layer {cap.num_layers - 1}, from the {describe_query(cap, token, pooled=False)}. {note}. "
            "Scaled to its own maximum."
        )
    with middle:
        st.subheader("Rollout")
        st.image(look.picture(cap.view, final, box=box), width="stretch", alt=f"Attention rollout, {query}")
        look.colour_bar(0, final.max(), "share of the flow")
        kept = f"; {look.share(max(0.0, 1 - final.sum()))} of the flow stays with prefix tokens" if prefix else ""
        st.caption(
            f"Layers {options['start_layer']} to {cap.num_layers - 1}, {fusion} over heads, residual "
            f"{options['residual']:.2f}, discarded {options['discard_ratio']:.0%}; read at the {query}. {note}. "
            f"Scaled to its own maximum{kept}."
        )
    with right:
        st.subheader("Prediction")
        look.prediction(choice.vit, cap.probabilities)
        look.downloads(
            "rollout",
            lambda: _figure(cap, steps, options, query, note),
            lambda: {"rollout": final, "steps": steps, "last_layer": last, "probabilities": cap.probabilities},
        )

    st.subheader("The chain, layer by layer")
    first = options["start_layer"]
    st.image(
        [look.picture(cap.view, step, box=box, side=220) for step in steps],
        caption=[f"{first}–{first + i}" if i else f"layer {first}" for i in range(len(steps))],
        width=150,
    )
    st.caption(f"The product up to each layer, read at the {query}. {note}. Each scaled to its own maximum.")


def _controls(cap: Capture) -> tuple[dict, int | None]:
    keep = {"persist_state": "session"}
    columns = st.columns([3, 3, 3, 3, 4], gap="medium")
    fusion = columns[0].segmented_control(
        "Heads are fused by", HEAD_FUSIONS, default="mean", required=True, key="rollout_fusion", **keep
    )
    residual = columns[1].slider(
        "Residual",
        0.0,
        1.0,
        0.5,
        0.05,
        key="rollout_residual",
        help="Weight of the identity: the skip connection.",
        **keep,
    )
    discard = columns[2].slider(
        "Discard lowest", 0.0, 0.95, 0.0, 0.05, key="rollout_discard",
        help="Share of the smallest attention weights that is set to zero in each layer.", **keep
    )  # fmt: skip
    start = columns[3].slider("From layer", 0, cap.num_layers - 1, 0, key=f"rollout_start_{cap.num_layers}", **keep)
    pinned = st.session_state.get("selection", {}).get("token")
    tokens = [None, *range(cap.grid.num_prefix_tokens)]
    if "class" in cap.grid.prefix_names:
        tokens.remove(cap.grid.prefix_names.index("class"))
    if _is_patch(cap, pinned):
        tokens.append(pinned)
    token = columns[4].selectbox(
        "Read at",
        tokens,
        format_func=lambda token: (
            describe_query(cap, token) + (" (pinned in Explore)" if _is_patch(cap, token) else "")
        ),
        key=f"rollout_token_{cap.num_tokens}",
    )
    return {"head_fusion": fusion, "residual": residual, "discard_ratio": discard, "start_layer": start}, token


def _is_patch(cap: Capture, token: int | None) -> bool:
    return token is not None and cap.grid.num_prefix_tokens <= token < cap.num_tokens


def _figure(cap: Capture, steps: np.ndarray, options: dict, query: str, note: str):
    first = options["start_layer"]
    return steps_figure(
        cap.view,
        steps,
        titles=[f"layers {first}–{first + i}" for i in range(len(steps))],
        title="Attention rollout",
        caption=f"Read at the {query}; {options['head_fusion']} over heads, residual {options['residual']}, discard "
        f"ratio {options['discard_ratio']}. {note}. Each map scaled to its own maximum.",
    )
