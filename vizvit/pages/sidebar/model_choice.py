"""The model in the sidebar: a name or a path, its weights and input size, a moment of its training."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from vizvit.errors import ModelError
from vizvit.model import CHECKPOINTS
from vizvit.model.catalog import CATALOG
from vizvit.model.hub import is_cached
from vizvit.model.loading import SHIPPED, load_model, pick_device
from vizvit.model.outputs import KINDS
from vizvit.model.snapshots import snapshots
from vizvit.model.vit import VitModel
from vizvit.model.work import Work, work_of
from vizvit.numbers import fixed, megabytes, share
from vizvit.pages.shared import bounds, look, paths
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.language import named, named_or_own, say, worded
from vizvit.pages.shared.store import leave_if_outdated, still_wanted, store
from vizvit.reading import kind_of, path_of, whole

ENTRIES = {entry.name: entry for entry in CATALOG}
LISTED = (SHIPPED, *ENTRIES)
WEIGHTS = ("pretrained", "random")
OUTPUTS = ("", *KINDS)  # none: as the model has them
_LOADS = itertools.count(1)
_RUN = threading.local()


@dataclass(frozen=True)
class ModelKey:
    """What a loaded model is known by to all sessions: what it was loaded with.

    size: (height, width), or None for the model's own. stamp: when the file or folder was last changed, where it is
    one: a retrained checkpoint is another model. load: which of all loads it came from, 0 before: captures of a model
    that had to go are not taken for those of the same model loaded again. outputs: one of OUTPUTS. crop: as in
    `load_model`.
    """

    name: str
    weights: str = "pretrained"
    arch: str = ""
    size: tuple[int, int] | None = None
    half: bool = False
    stamp: int | None = None
    load: int = 0
    outputs: str = ""
    crop: bool = True

    @property
    def kind(self) -> tuple[str, str]:
        """The same for all weights and sizes of a model: their layers and heads are each other's."""
        return self.name, self.arch


Loaded = tuple[VitModel, ModelKey, Any]  # with the module


@contextmanager
def held() -> Iterator[None]:
    """The weights that this thread chooses within stay in memory, whatever else is loaded meanwhile: for one run."""
    _RUN.held = []
    try:
        yield
    finally:
        del _RUN.held


def choose_model(progress) -> tuple[VitModel, ModelKey]:
    """Draw the choice; returns the model and its key for what all sessions share. progress: where loading is shown."""
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
        st.selectbox(
            t["outputs"],
            OUTPUTS,
            format_func=lambda kind: t[f"outputs_{kind or 'own'}"],
            key=worded("outputs"),
            help=t["outputs_help"],
        )
        half = pick_device().type == "cuda" and st.toggle(t["half"], key="half")
    try:
        check_allowed(state.model)
        weights, note = _choose_snapshot() if state.weights == "pretrained" else (state.weights, "")
        return load_chosen(progress, state.model, weights, state.arch, _input_size(), half, note, state.outputs)
    except ModelError as error:
        st.error(look.failure("model", error))
        st.caption(t["instead"].format(model=SHIPPED))
        return load_chosen(progress, SHIPPED)


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
    state.weights, state.arch, state.height, state.width, state.outputs = "pretrained", "", "", "", ""


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
    outputs: str = "",
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
    key = ModelKey(name, weights, arch, size, half, stamp, outputs=outputs, crop=crop)

    def make() -> Loaded:
        if (name, size) != (SHIPPED, None):
            bounds.check(_work(key))
        slot = place.empty()

        def progress(done: int, total: int) -> None:
            said = t["downloading"].format(model=look.plain(_title(name)), done=megabytes(done), total=megabytes(total))
            slot.progress(min(done / total, 1.0) if total else 0.0, said)

        with place, st.spinner(t["loading"].format(model=look.plain(_title(name)))):
            loaded = load(progress)
        slot.empty()
        return loaded

    def load(progress: Callable[[int, int], None] | None = None) -> Loaded:
        vit = load_model(
            name,
            weights=weights,
            arch=arch or None,
            image_size=size,
            outputs=outputs or None,
            half=half,
            crop=crop,
            on_progress=progress,
        )
        vit, module = replace(vit, weights=note or vit.weights), vit.module
        # The store holds the weights, and who runs: not a tab that nobody looks at. A late click there brings them.
        vit.let_go(lambda: store().models.get(key, load, _weights, leave_if_outdated)[2])
        return vit, replace(key, load=next(_LOADS)), module

    *chosen, module = store().models.get(key, make, _weights, still_wanted())
    getattr(_RUN, "held", []).append(module)
    return tuple(chosen)


def _weights(loaded: Loaded) -> int:
    return sum(tensor.nbytes for tensor in (*loaded[2].parameters(), *loaded[2].buffers()))


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
