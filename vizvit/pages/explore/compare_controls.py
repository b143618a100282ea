"""The row above the explorer: what to set beside its picture, kept in the address.

plan = compare.choose(place, choice, token=…, area=…)     # quick: controls only
comparison = comparing.load(place, plan, choice, cap)      # loads and runs the second model
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from PIL import Image

from vizvit.errors import ImageError, ModelError
from vizvit.grid import PatchGrid
from vizvit.model.loading import SHIPPED
from vizvit.model.snapshots import Snapshot, snapshots
from vizvit.pages.explore.boxes import MIDDLE, Box, area_box, box_of, neighbourhood, snapped, text_of
from vizvit.pages.shared import look
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.language import named, say, worded
from vizvit.pages.shared.photo import decoded, photo_key
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.sidebar.model_choice import ENTRIES, WEIGHTS
from vizvit.pictures.load import MAX_BYTES
from vizvit.pictures.samples import SAMPLES
from vizvit.reading import whole

_STYLE = """
<style>
  .vz-compare { font-size: .9rem; opacity: .8; white-space: nowrap; }
  .st-key-compare_row [role="radiogroup"] { flex-wrap: wrap; }
  .st-key-compare_row [data-testid="stButtonGroup"] button { min-height: 1.8rem; padding: .1rem .5rem; }
  .st-key-compare_row button p { font-size: .85rem; }
</style>
"""
KINDS = ("nothing", "picture", "model", "training", "flip", "crop", "cover")


@dataclass(frozen=True)
class Plan:
    """What to compare with, before anything is loaded; only what its kind needs is filled in.

    note: what to call a snapshot's weights. box: of a crop, or of what is covered.
    """

    kind: str
    image: Image.Image | None = None
    image_name: str = ""
    image_key: str = ""
    model: str = ""
    weights: str = "pretrained"
    note: str = ""
    box: Box | None = None


def choose(place, choice: Choice, *, token: int = 0, area: tuple | None = None) -> Plan | None:
    """Draw the row and say what is chosen; None for nothing. Streamlit's errors stand below the row.

    token: the explorer's query, whose neighbourhood is covered at first. area: the rectangle drawn in the explorer,
    (top, left, bottom, right) in patches, inclusive.
    """
    t, state, moments = say("compare"), st.session_state, _moments(choice)
    _begin_with_the_address(moments)
    kinds = [kind for kind in KINDS if moments or kind != "training"]
    if state.compare not in kinds:
        state.compare = "nothing"
    with place, st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare_row"):
        st.html(f'{_STYLE}<span class="vz-compare">{t["label"]}</span>', width="content")
        st.pills(
            t["label"],
            kinds,
            format_func=t.__getitem__,
            key=worded("compare"),
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        kind = state.compare
        if kind == "nothing":
            plan, detail = None, ""
        elif kind == "picture":
            plan, detail = _choose_picture(place)
        elif kind == "model":
            plan, detail = _choose_model(choice)
        elif kind == "training":
            plan, detail = _choose_moment(choice, moments)
        elif kind == "flip":
            plan, detail = Plan("flip"), ""
        else:
            plan, detail = _choose_box(kind, choice.vit.grid, token, area)
    note_in_address("compare", "" if kind == "nothing" or detail is None else ":".join(filter(None, (kind, detail))))
    return plan


def _moments(choice: Choice) -> tuple[Snapshot, ...]:
    try:
        return snapshots(choice.model_key.name)
    except ModelError:  # the sidebar has said it
        return ()


def _begin_with_the_address(moments: tuple) -> None:
    """The settings of a link, or those of none, once a session."""
    state = st.session_state
    if "compare" in state:
        return
    kind, _, detail = st.query_params.get("compare", "").partition(":")
    state.compare = kind if kind in KINDS else "nothing"
    if kind == "picture" and detail in SAMPLES:
        state.compare_picture = detail
    elif kind == "model":
        name, _, weights = detail.rpartition(":")
        if weights in WEIGHTS:
            state.compare_weights = weights
        state.compare_model = (name if weights in WEIGHTS else detail) or None
    elif kind == "training" and (number := whole(detail, 0, len(moments) - 1)) is not None:
        state.compare_training = number
    elif kind in ("crop", "cover") and detail:
        box = box_of(detail)
        if box:
            state[f"compare_{kind}"] = box


# --- one kind each: (what is planned, what stands in the address; None for what a link cannot hold)


def _choose_picture(place) -> tuple[Plan | None, str | None]:
    t, state = say("compare"), st.session_state
    other = next(name for name in SAMPLES if name != state.get("image"))
    state.setdefault("compare_picture", other)
    given = state.get("compare_given")  # (name, bytes): the uploader itself forgets with a visit to another page
    titles = say("picture")
    label = given[0] if given else titles[state.compare_picture]
    with st.popover(look.plain(label), key="compare_popover"):
        st.pills(
            t["samples"],
            list(SAMPLES),
            format_func=titles.__getitem__,
            key=worded("compare_picture"),
            required=True,
            disabled=given is not None,
            persist_state="session",
        )
        st.file_uploader(
            t["drop"], max_upload_size=MAX_BYTES // (1 << 20), key="compare_upload", on_change=_take_upload
        )
    data = given[1] if given else SAMPLES[state.compare_picture].read()
    try:
        image = decoded(data)
    except ImageError as error:
        place.error(look.failure("picture", error, title=label))
        return None, None
    name = given[0] if given else titles[f"sample_{state.compare_picture}"]
    return Plan("picture", image, name, photo_key(data)), None if given else state.compare_picture


def _take_upload() -> None:
    upload = st.session_state.compare_upload
    st.session_state.compare_given = (upload.name, upload.getvalue()) if upload else None


def is_private(plan: Plan) -> bool:
    """Whether it is compared with a person's own picture, which no link can hold."""
    return plan.kind == "picture" and st.session_state.get("compare_given") is not None


def _choose_model(choice: Choice) -> tuple[Plan | None, str]:
    state = st.session_state
    options = [SHIPPED, *ENTRIES]
    state.setdefault("compare_model", None if choice.model_key.name == SHIPPED else SHIPPED)
    state.setdefault("compare_weights", "pretrained")
    if state.compare_model not in (None, *options):
        options.append(state.compare_model)
    t, weights = say("compare"), say("sidebar")
    label = t["choose_model"]
    if state.compare_model:
        label = f"{look.plain(title_of(state.compare_model))}, {weights[state.compare_weights]}"
    with st.popover(label, key="compare_popover"):
        st.selectbox(
            t["model"],
            options,
            index=None,
            format_func=title_of,
            key="compare_model",
            placeholder=t["choose_model"],
            accept_new_options=True,
            persist_state="session",
        )
        st.segmented_control(
            t["weights"],
            WEIGHTS,
            format_func=weights.__getitem__,
            key=worded("compare_weights"),
            required=True,
            persist_state="session",
        )
    if not state.compare_model:
        return None, ""
    detail = state.compare_model + (":random" if state.compare_weights == "random" else "")
    return Plan("model", model=state.compare_model, weights=state.compare_weights), detail


def title_of(model: str) -> str:
    return ENTRIES[model].title if model in ENTRIES else model


def _choose_moment(choice: Choice, moments: tuple[Snapshot, ...]) -> tuple[Plan, str]:
    last = len(moments) - 1
    if not 0 <= st.session_state.get("compare_training", -1) <= last:
        st.session_state.compare_training = 0 if choice.model_key.weights != moments[0].weights else last
    index = st.select_slider(
        say("compare")["training"],
        range(last + 1),
        format_func=lambda i: named(moments[i].title),
        key=worded("compare_training"),
        label_visibility="collapsed",
        width=210,
        persist_state="session",
    )
    moment = moments[index]
    note = "" if moment.weights in WEIGHTS else f"training snapshot at {moment.title}"
    return Plan("training", model=choice.model_key.name, weights=moment.weights, note=note), str(index)


def _choose_box(kind: str, grid: PatchGrid, token: int, area: tuple | None) -> tuple[Plan, str]:
    t = say("compare")
    state, key = st.session_state, f"compare_{kind}"
    default = MIDDLE if kind == "crop" else neighbourhood(grid, token)
    state.setdefault(key, default)
    drawn = area_box(grid, area)
    if st.button(t["use_area"], key="compare_area", disabled=drawn is None, help=t["use_area_help"], type="tertiary"):
        state[key] = drawn
    box = state[key] if kind == "crop" else snapped(grid, state[key])
    return Plan(kind, box=box), "" if box == MIDDLE else text_of(box)
