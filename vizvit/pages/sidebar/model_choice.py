"""The model in the sidebar: a name or a path, its weights and input size, a moment of its training."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import streamlit as st

from vizvit.errors import ModelError
from vizvit.model import CHECKPOINTS
from vizvit.model.catalog import CATALOG
from vizvit.model.hub import is_cached
from vizvit.model.loading import SHIPPED, load_model, pick_device
from vizvit.model.reach import Box, rectangle, seen_of
from vizvit.model.snapshots import snapshots
from vizvit.model.vit import VitModel
from vizvit.model.work import Work, work_of
from vizvit.numbers import fixed, megabytes, share
from vizvit.pages.shared import bounds, look, paths
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.language import named, named_or_own, say, worded
from vizvit.pages.shared.store import once, still_wanted, store
from vizvit.reading import kind_of, path_of, whole

ENTRIES = {entry.name: entry for entry in CATALOG}
LISTED = (SHIPPED, *ENTRIES)
WEIGHTS = ("pretrained", "random")
NEARLY_ALL = 0.97  # of a picture: who sees so much is not offered more
_LOADS = itertools.count(1)


@dataclass(frozen=True)
class ModelKey:
    """What a loaded model is known by to all sessions: what it was loaded with.

    size: (height, width), or None for the model's own. crop: as in `load_model`. stamp: when the file or folder was
    last changed, where it is one: a retrained checkpoint is another model. load: which of all loads it came from, 0
    before: captures of a model that had to go are not taken for those of the same model loaded again.
    """

    name: str
    weights: str = "pretrained"
    arch: str = ""
    size: tuple[int, int] | None = None
    half: bool = False
    crop: bool = True
    stamp: int | None = None
    load: int = 0

    @property
    def kind(self) -> tuple[str, str]:
        """The same for all weights and sizes of a model: their layers and heads are each other's."""
        return self.name, self.arch


Loaded = tuple[VitModel, ModelKey]


def choose_model(progress, whole, size: tuple[int, int]) -> Loaded:
    """Draw the choice; returns the model and its key for what all sessions share.

    progress: where loading is shown. whole: where a model that cuts off much of the picture, of (width, height) pixels,
    is offered to see all of it.
    """
    state, t = st.session_state, say("sidebar")
    options = list(LISTED)
    if state.model not in options:
        options.append(state.model)
    state.setdefault("model_box", state.model)
    st.selectbox(
        t["model"],
        options,
        key="model_box",
        format_func=_title,
        accept_new_options=paths.allowed(),
        on_change=_use_model,
        help=t["model_help"],
    )
    entry = ENTRIES.get(state.model)
    if state.model == SHIPPED:
        st.caption(t["shipped"])
    elif entry:
        where = t["cached"] if is_cached(entry.name) else t["download"].format(size=entry.download_mb)
        st.caption(f"{say('catalog')[entry.name]} {where}")
    with st.expander(t["options"]):
        st.segmented_control(
            t["weights"],
            WEIGHTS,
            format_func=t.__getitem__,
            key="weights",
            required=True,
            help=t["weights_help"],
        )
        if _names_file(state.model):
            st.text_input(t["architecture"], key="arch", placeholder=t["by_content"], help=t["architecture_help"])
        st.caption(t["input_size"])
        left, right = st.columns(2)
        left.text_input(t["height"], key="height", placeholder=t["own"])
        right.text_input(t["width"], key="width", placeholder=t["as_height"])
        half = pick_device().type == "cuda" and st.toggle(t["half"], key="half")
    try:
        check_allowed(state.model)
        weights, note = _choose_snapshot() if state.weights == "pretrained" else (state.weights, "")
        given = _input_size()
        vit, key = load_chosen(progress, state.model, weights, state.arch, given, half, note)
        return (vit, key) if given else _reaching(progress, whole, size, vit, key, note)
    except ModelError as error:
        st.error(look.failure("model", error))
        st.caption(t["instead"].format(model=SHIPPED))
        return load_chosen(progress, SHIPPED)


def _reaching(progress, place, size: tuple[int, int], vit: VitModel, key: ModelKey, note: str) -> Loaded:
    """The same model with a rectangle of as many patches that holds the whole picture, where that is wanted."""
    t, box = say("sidebar"), seen_part(vit, key, size)
    if (box[2] - box[0]) * (box[3] - box[1]) > NEARLY_ALL:
        return vit, key
    if not place.toggle(t["whole"], key="whole", help=t["whole_help"], persist_state="session"):
        return vit, key
    try:
        rows_cols = rectangle(vit.grid, size)
        return load_chosen(progress, key.name, key.weights, key.arch, rows_cols, key.half, note, crop=False)
    except ModelError as error:
        place.caption(look.failure("whole", error))
        return vit, key


def seen_part(vit: VitModel, key: ModelKey, size: tuple[int, int]) -> Box:
    """What part of a picture of (width, height) pixels the model sees."""
    return once((key, "", ("seen", size)), lambda: seen_of(vit, size), lambda box: 256)


def _choose_snapshot() -> tuple[str, str]:
    """The weights to load and a note on them for captions, where the model has snapshots of its training."""
    moments = snapshots(st.session_state.model)
    if not moments:
        note_in_address("training", "")
        return "pretrained", ""
    asked = st.query_params.get("training", "")
    last = len(moments) - 1
    st.session_state.setdefault("training", min(whole(asked) if whole(asked) is not None else last, last))
    t = say("sidebar")
    chosen = st.select_slider(
        t["training"],
        range(last + 1),
        format_func=lambda i: named(moments[i].title),
        key=worded("training"),
        help=t["training_help"],
    )
    moment = moments[chosen]
    note_in_address("training", str(chosen) if chosen < last else "")
    st.caption(t["accuracy"].format(share=share(moment.top1)))
    note = "" if moment.weights in ("pretrained", "random") else f"training snapshot at {moment.title}"
    return moment.weights, note


def _names_file(model: str) -> bool:
    """Whether a person may give the architecture of what they named, which is a file of weights."""
    if model in LISTED or not paths.allowed():
        return False
    try:
        return Path(model).suffix in CHECKPOINTS or kind_of(path_of(model)) == "file"
    except ModelError:
        return False


def _use_model() -> None:
    state = st.session_state
    state.model = state.model_box or SHIPPED
    state.weights, state.arch, state.height, state.width = "pretrained", "", "", ""


def _title(name: str) -> str:
    """The same in all languages: the model box takes what it does not know for the name of a model."""
    entry = ENTRIES.get(name)
    return entry.title if entry else name


def _input_size() -> tuple[int, int] | None:
    height, width = st.session_state.height.strip(), st.session_state.width.strip()
    if not height and not width:
        return None
    size = whole(height or width, 1), whole(width or height, 1)
    if None in size:
        raise ModelError(say("sidebar")["size_not_whole"].format(size=(height or width)[:60]))
    return size


def check_allowed(name: str) -> None:
    """ModelError for a name that is not of the list where paths are off, whatever lies on the disk."""
    if name not in LISTED and not paths.allowed():
        raise ModelError(say("sidebar")["paths_off"])


def load_chosen(
    place,
    name: str,
    weights: str = "pretrained",
    arch: str = "",
    size: tuple[int, int] | None = None,
    half: bool = False,
    note: str = "",
    *,
    crop: bool = True,
) -> tuple[VitModel, ModelKey]:
    """A model, loaded once for all sessions, and its key. Raises ModelError.

    place: where progress is shown. note: what captions say of these weights, in place of where they come from.
    """
    t = say("sidebar")
    check_allowed(name)
    path = path_of(name.removeprefix("local-dir:"))
    stamp = None if name in LISTED or kind_of(path) is None else path.stat().st_mtime_ns
    key = ModelKey(name, weights, arch, size, half, crop, stamp)

    def make() -> tuple[VitModel, ModelKey]:
        if (name, size) != (SHIPPED, None):
            bounds.check(_work(key))
        slot = place.empty()

        def progress(done: int, total: int) -> None:
            said = t["downloading"].format(model=look.plain(_title(name)), done=megabytes(done), total=megabytes(total))
            slot.progress(min(done / total, 1.0) if total else 0.0, said)

        with place, st.spinner(t["loading"].format(model=look.plain(_title(name)))):
            vit = load_model(
                name,
                weights=weights,
                arch=arch or None,
                image_size=size,
                half=half,
                crop=crop,
                on_progress=progress,
            )
        slot.empty()
        return replace(vit, weights=note or vit.weights), replace(key, load=next(_LOADS))

    return store().models.get(key, make, lambda loaded: Work.of(loaded[0]).weights, still_wanted())


@lru_cache(maxsize=256)
def _work(key: ModelKey) -> Work:
    return work_of(key.name, arch=key.arch or None, image_size=key.size)


def describe(vit: VitModel) -> None:
    """What the model is, in small print."""
    t, grid = say("sidebar"), vit.grid
    if not vit.trained:
        st.badge(t["untrained"], color="orange", help=t["untrained_help"])
    names = t["between"].join(map(named, grid.prefix_names))
    facts = t["facts"].format(
        layers=vit.num_layers,
        heads=vit.num_heads,
        rows=grid.rows,
        cols=grid.cols,
        patch=grid.patch_size,
        prefix=t["prefix"].format(names=names) if names else t["no_prefix"],
        parameters=fixed(vit.num_parameters / 1e6, 1),
        device=vit.device.type,
        precision=vit.precision,
    )
    st.caption(facts)
    if vit.channels == 1:
        st.caption(t["grey"])
    for note in vit.notes:
        st.caption(look.plain(named_or_own(note)))
