"""Rollout: what reaches a token through all layers, step by step, beside what the last layer alone looks at."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizvit.analysis import attention_map, rollout_steps, standing_out
from vizvit.analysis.fusion import HEAD_FUSIONS, rest
from vizvit.explorer.selection import CHOICES
from vizvit.figures import SIGNED_CMAP, steps_figure
from vizvit.figures.scale import limits
from vizvit.forward.capture import Capture
from vizvit.numbers import fixed, percent_of, share, thousands
from vizvit.pages.explore.link import view_from_address
from vizvit.pages.shared import look
from vizvit.pages.shared.address import note_all
from vizvit.pages.shared.language import say, worded
from vizvit.pages.shared.names import query_name
from vizvit.pages.shared.pixels import picture, signed_picture
from vizvit.pages.sidebar.choice import Choice
from vizvit.reading import real, whole
from vizvit.texts import words

RESIDUAL = 0.5
NAMED = 3  # patches that the sentence names


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
    said = st.empty()
    left, middle, right = st.columns([5, 5, 4], gap="medium")
    with right:
        options, token = _controls(cap)
        scale, log = _scale()
    steps = choice.derived(("rollout", *options.values(), token), lambda: rollout_steps(cap, token=token, **options))
    final = steps[-1]
    last = attention_map(cap, -1, head_fusion=options["head_fusion"], token=token)
    query, weights = query_name(cap, token), look.plain(look.weights_note(choice.vit))
    box = cap.grid.box(*cap.grid.patch(token)) if _is_patch(cap, token) else None
    fusion, scaled = say("look")[options["head_fusion"]], _scaled(scale, log)
    outstanding = standing_out(final)
    marked = [cap.grid.box(*map(int, place)) for place in np.argwhere(outstanding)]
    said.markdown(look.plain(sentence(final, outstanding, query)))

    def ends(heat: np.ndarray) -> tuple[float, float]:
        mode = "own" if scale == "shared" else scale
        return limits(heat, mode, log=log, others=steps if scale == "shared" and heat is not last else None)

    with left:
        st.subheader(t["last"])
        drawn = picture(cap.view, last, box=box, ends=ends(last), log=log, marked=marked)
        look.show(drawn, width="stretch", alt=t["last_alt"].format(query=query))
        last_bar = t["last_bar"].format(fusion=fusion, heads=cap.num_heads)
        st.html(look.colour_bar(*ends(last), last_bar, write=percent_of))
        last_query = query_name(cap, token, pooled=False)
        last_layer = {"layer": cap.num_layers - 1, "query": last_query}
        st.caption(t["last_caption"].format(weights=weights, scaled=scaled, **last_layer))
    with middle:
        st.subheader(t["rollout"])
        drawn = picture(cap.view, final, box=box, ends=ends(final), log=log, marked=marked)
        look.show(drawn, width="stretch", alt=t["rollout_alt"].format(query=query))
        st.html(look.colour_bar(*ends(final), t["rollout_bar"], write=percent_of))
        st.caption(_caption(cap, final, options, fusion=fusion, query=query, weights=weights, scaled=scaled))
        look.downloads(
            "rollout",
            lambda: _figure(cap, steps, options, token, look.weights_note(choice.vit, "en")),
            lambda: {"rollout": final, "steps": steps, "last_layer": last} | look.predicted(cap),
        )

    st.subheader(t["chain"])
    first = options["start_layer"]
    later = [t["chain_step"].format(first=first, last=first + i) for i in range(1, len(steps))]
    look.show(
        [picture(cap.view, step, box=box, side=220, ends=ends(step), log=log, marked=marked) for step in steps],
        caption=[t["chain_first"].format(layer=first), *later],
        width=150,
    )
    st.caption(t["chain_caption"].format(query=query, weights=weights, scaled=scaled))
    if len(steps) > 1:
        _changes(cap, steps, first, query)
    st.subheader(t["prediction"])
    with st.container(width=460):
        look.prediction(cap)


def _changes(cap: Capture, steps: np.ndarray, first: int, query: str) -> None:
    """What each layer after the first moved. steps: [layer, rows, cols]."""
    t, moved = say("rollout"), np.diff(steps, axis=0)
    most = float(np.abs(moved).max()) or 1.0
    st.subheader(t["changes"])
    look.show(
        [signed_picture(part, most, 220) for part in moved],
        caption=[t["changed"].format(layer=first + i, share=share(_moved(part))) for i, part in enumerate(moved, 1)],
        width=150,
    )
    st.html(look.colour_bar(-most, most, t["rollout_bar"], SIGNED_CMAP, percent_of))
    st.caption(t["changes_caption"].format(query=query))


def _moved(part: np.ndarray) -> float:
    """The share of the flow that a step moved: what the patches lose in all, the prefix tokens have gained."""
    return float(np.abs(part).sum() + abs(part.sum())) / 2


def sentence(final: np.ndarray, outstanding: np.ndarray, query: str) -> str:
    """Which patches draw the flow. final: shares of all of it, [rows, cols]; outstanding: which stand out, bool."""
    t, total, patches = say("rollout"), float(final.sum()) or 1.0, final.size
    order = np.argsort(final, axis=None)[::-1]
    count = int(outstanding.sum())
    places = [divmod(int(patch), final.shape[1]) for patch in order[: min(count, NAMED) or 1]]
    named = t["list"].join(
        t["one"].format(row=row, col=col, share=share(float(final[row, col]))) for row, col in places
    )
    said = {"query": query, "patches": thousands(patches), "named": named}
    if not count:
        half = int(np.searchsorted(np.cumsum(final.ravel()[order]), total / 2)) + 1
        return t["even"].format(half=thousands(half), **said)
    of = share(float(final[outstanding].sum()))
    text = t["outstanding_one"] if count == 1 else t["outstanding"]
    return text.format(count=thousands(count), share=of, even=share(total * count / patches), **said)


def _scale() -> tuple[str, bool]:
    """The scale of all maps, as Explore has them, and whether it is logarithmic."""
    t = say("rollout")
    for name in ("scale", "curve"):
        asked = st.query_params.get(name)
        st.session_state.setdefault(worded(f"rollout_{name}"), asked if asked in CHOICES[name] else CHOICES[name][0])
    scale = st.selectbox(
        t["scale"],
        CHOICES["scale"],
        format_func=lambda one: say("rollout")["scale_shared"] if one == "shared" else say("explorer")[f"scale_{one}"],
        key=worded("rollout_scale"),
        persist_state="session",
    )
    curve = st.segmented_control(
        t["curve"],
        CHOICES["curve"],
        format_func=lambda one: say("explorer")[f"curve_{one}"],
        key=worded("rollout_curve"),
        required=True,
        persist_state="session",
    )
    said = {"scale": scale, "curve": curve}
    note_all({name: "" if value == CHOICES[name][0] else value for name, value in said.items()})
    return scale, curve == "log"


def _scaled(scale: str, log: bool) -> str:
    t, explorer = say("rollout"), say("explorer")
    said = t["scale_shared_note"] if scale == "shared" else explorer[f"scale_{scale}_note"]
    return t["scaled_log"].format(scale=said) if log else t["scaled"].format(scale=said)


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
    """What is asked, of the session, or else of the address, or else as one starts; the address says it again."""
    t, state, params = say("rollout"), st.session_state, st.query_params
    start_key, token_key = f"rollout_start_{cap.num_layers}", worded(f"rollout_token_{cap.num_tokens}")
    tokens, linked = _tokens(cap), view_from_address(cap.grid) or {}
    state.setdefault("rollout_fusion", params.get("fusion") if params.get("fusion") in HEAD_FUSIONS else "mean")
    state.setdefault("rollout_residual", _step(params.get("residual", ""), 1.0, RESIDUAL))
    state.setdefault("rollout_discard", _step(params.get("discard", ""), 0.95, 0.0))
    state.setdefault(start_key, whole(params.get("start", ""), 0, cap.num_layers - 1) or 0)
    if token_key in state and state[token_key] not in tokens:
        del state[token_key]
    asked = linked.get("token") if "query" in params and not linked.get("area") else None
    if token_key not in state and asked is not None and asked in tokens:
        state[token_key] = asked
    fusion = st.segmented_control(
        t["fusion"],
        HEAD_FUSIONS,
        format_func=lambda name: say("look")[name],
        required=True,
        key=worded("rollout_fusion"),
        persist_state="session",
    )
    residual = st.slider(
        t["residual"], 0.0, 1.0, step=0.05, key="rollout_residual", help=t["residual_help"], persist_state="session"
    )
    discard = st.slider(
        t["discard"], 0.0, 0.95, step=0.05, key="rollout_discard", help=t["discard_help"], persist_state="session"
    )
    start = st.slider(t["start"], 0, cap.num_layers - 1, key=start_key, persist_state="session")
    token = st.selectbox(
        t["read_at"],
        tokens,
        format_func=lambda token: (
            t["pinned"].format(query=query_name(cap, token)) if _is_patch(cap, token) else query_name(cap, token)
        ),
        key=token_key,
    )
    note_all(
        {
            "fusion": "" if fusion == "mean" else fusion,
            "residual": "" if residual == RESIDUAL else f"{residual:g}",
            "discard": f"{discard:g}" if discard else "",
            "start": str(start or ""),
            "query": "" if token is None else _address(cap, token),
        }
    )
    return {"head_fusion": fusion, "residual": residual, "discard_ratio": discard, "start_layer": start}, token


def _step(text: str, most: float, otherwise: float) -> float:
    """The slider's step that is nearest to what a link says."""
    asked = real(text, 0, most)
    return otherwise if asked is None else round(20 * asked) / 20


def _tokens(cap: Capture) -> list[int | None]:
    """Where rollout can be read: where it is by itself, the prefix tokens, and the patch that is looked at."""
    selection = st.session_state.get("selection") or view_from_address(cap.grid) or {}
    tokens = [None, *range(cap.grid.num_prefix_tokens)]
    if "class" in cap.grid.prefix_names:
        tokens.remove(cap.grid.prefix_names.index("class"))
    return [*tokens, selection["token"]] if _is_patch(cap, selection.get("token")) else tokens


def _address(cap: Capture, token: int) -> str:
    return ",".join(map(str, cap.grid.patch(token))) if _is_patch(cap, token) else cap.grid.prefix_names[token]


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
