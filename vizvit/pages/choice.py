"""The shared sidebar: which picture and which model, kept across pages and in the address."""

from __future__ import annotations

import os
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st
from PIL import Image

from vizvit.capture import Capture, capture
from vizvit.catalog import CATALOG
from vizvit.errors import CaptureError, ModelError
from vizvit.hub import is_cached
from vizvit.loading import SHIPPED, load_model, pick_device
from vizvit.model import VitModel
from vizvit.pages import look, picture
from vizvit.pages.store import settle_memory, store, turn
from vizvit.snapshots import snapshots

ENTRIES = {entry.name: entry for entry in CATALOG}
CHECKPOINTS = {".safetensors", ".pth", ".pt", ".bin"}
PATHS_OFF = os.environ.get("VIZVIT_PATHS", "on") == "off"  # for servers that strangers reach
WEIGHTS = ("pretrained", "random")
# What a link holds, and what it holds when it says nothing.
DEFAULTS = {"image": picture.DEFAULT, "model": SHIPPED, "weights": "pretrained", "arch": "", "height": "", "width": ""}


@dataclass(frozen=True)
class Choice:
    """What is looked at: the picture, the model, and the keys under which all sessions share what comes of them."""

    image: Image.Image
    image_name: str
    image_key: str
    vit: VitModel
    model_key: Hashable

    @property
    def key(self) -> tuple:
        return self.model_key, self.image_key

    def capture(self) -> Capture:
        """The capture of this picture by this model; forward passes of all sessions take turns."""

        def make() -> Capture:
            with st.spinner("Running the model on this picture…"), turn(_still_wanted()):
                return capture(self.vit, self.image)

        try:
            return store().captures.get(self.key, make, lambda cap: cap.nbytes, _still_wanted())
        except CaptureError as error:
            st.error(str(error))
            st.stop()

    def result(self, name: Hashable, make, size=lambda value: value.nbytes):
        """Something derived from the capture, made once for all sessions."""

        def compute():
            with st.spinner("Computing…"):
                return make()

        return store().results.get((*self.key, name), compute, size, _still_wanted())


def choose() -> Choice:
    """Draw the sidebar and return the choice; where it cannot be had, say so and go on with what can."""
    state = st.session_state
    for name, default in DEFAULTS.items():
        state.setdefault(name, st.query_params.get(name, default))
    if state.weights not in WEIGHTS:
        state.weights = DEFAULTS["weights"]
    progress = st.container()  # in the main area, which a phone shows when the sidebar is folded away
    with st.sidebar:
        image, image_name, image_key = picture.choose_picture(st.container())
        vit, model_key = _choose_model(progress)
        _describe(vit)
    _write_address()
    return Choice(image, image_name, image_key, vit, model_key)


def _still_wanted():
    """A function that leaves the run when the person has moved on: any st call raises then."""
    slots = []

    def wait() -> None:
        if not slots:
            slots.append(st.empty())
        slots[0].caption("Waiting for another picture to be done…")

    return wait


# --- model


def _choose_model(progress) -> tuple[VitModel, Hashable]:
    state = st.session_state
    options = [SHIPPED, *ENTRIES]
    if state.model not in options:
        options.append(state.model)
    state.setdefault("model_box", state.model)
    st.selectbox(
        "Model",
        options,
        key="model_box",
        format_func=_title,
        accept_new_options=True,
        on_change=_use_model,
        help="Choose one, or type any timm model name, or the path of a timm local directory or of a .safetensors or "
        ".pth file on the server.",
    )
    entry = ENTRIES.get(state.model)
    if entry:
        size = "on this machine" if is_cached(entry.name) else f"{entry.download_mb} MB to download"
        st.caption(f"{entry.why} {size[0].upper()}{size[1:]}.")
    with st.expander("Model options"):
        st.segmented_control(
            "Weights",
            WEIGHTS,
            key="weights",
            required=True,
            help="Random weights are the same every time. They show shapes, not sense.",
        )
        if Path(state.model).suffix in CHECKPOINTS:
            st.text_input("Architecture of the checkpoint", key="arch", placeholder="vit_base_patch16_224")
        st.caption("Input size in pixels; empty for the model's own. A multiple of the patch size.")
        left, right = st.columns(2)
        left.text_input("Height", key="height", placeholder="own")
        right.text_input("Width", key="width", placeholder="as height")
        half = pick_device().type == "cuda" and st.toggle("Half precision", key="half")
    try:
        weights, note = _choose_snapshot() if state.weights == "pretrained" else (state.weights, "")
        vit, key = _load(progress, state.model, weights, state.arch, _input_size(), half)
        return (replace(vit, weights=note) if note else vit), key
    except ModelError as error:
        st.error(str(error))
        st.caption(f"Showing {SHIPPED} instead.")
        return _load(progress, SHIPPED)


def _choose_snapshot() -> tuple[str, str]:
    """The weights to load and a note on them for captions, where the model has snapshots of its training."""
    moments = snapshots(st.session_state.model)
    if not moments:
        note_in_address("training", "")
        return "pretrained", ""
    asked = st.query_params.get("training", "")
    last = len(moments) - 1
    st.session_state.setdefault("training", min(int(asked), last) if asked.isdecimal() else last)
    chosen = st.select_slider(
        "Training",
        range(last + 1),
        format_func=lambda i: moments[i].title,
        key="training",
        help="Weights kept during the training of this model: see attention grow out of noise.",
    )
    moment = moments[chosen]
    note_in_address("training", str(chosen) if chosen < last else "")
    st.caption(f"{look.share(moment.top1)} of held-out pictures right at this point.")
    note = "" if moment.weights in ("pretrained", "random") else f"training snapshot at {moment.title}"
    return moment.weights, note


def _use_model() -> None:
    state = st.session_state
    state.model = state.model_box or SHIPPED
    state.weights, state.height, state.width = "pretrained", "", ""


def _title(name: str) -> str:
    if name == SHIPPED:
        return f"{SHIPPED} · shipped"
    entry = ENTRIES.get(name)
    return entry.title if entry else name


def _input_size() -> tuple[int, int] | None:
    height, width = st.session_state.height.strip(), st.session_state.width.strip()
    if not height and not width:
        return None
    try:
        return int(height or width), int(width or height)
    except ValueError:
        raise ModelError(f'The input size is in whole pixels; received "{height or width}".') from None


def _load(
    place,
    name: str,
    weights: str = "pretrained",
    arch: str = "",
    size: tuple[int, int] | None = None,
    half: bool = False,
) -> tuple[VitModel, Hashable]:
    path = Path(name.removeprefix("local-dir:")).expanduser()
    if PATHS_OFF and name != SHIPPED and (path.exists() or path.is_absolute() or path.suffix in CHECKPOINTS):
        raise ModelError("Files on this server cannot be named from the browser here. Choose a model by its timm name.")
    stamp = path.stat().st_mtime_ns if path.exists() else None  # a retrained checkpoint is another model
    key = ("model", name, weights, arch, size, half, stamp)

    def make() -> VitModel:
        slot = place.empty()

        def progress(done: int, total: int) -> None:
            share = min(done / total, 1.0) if total else 0.0
            slot.progress(share, f"Downloading {_title(name)}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

        with place, st.spinner(f"Loading {_title(name)}…"):
            vit = load_model(name, weights=weights, arch=arch or None, image_size=size, half=half, on_progress=progress)
        slot.empty()
        settle_memory()
        return vit

    size_of = lambda vit: sum(t.nbytes for t in (*vit.module.parameters(), *vit.module.buffers()))  # noqa: E731
    return store().models.get(key, make, size_of, _still_wanted()), key


def _describe(vit: VitModel) -> None:
    grid = vit.grid
    if not vit.trained:
        st.badge(
            "untrained weights", color="orange", help="Its maps show how the network is built, not what it learned."
        )
    prefix = f" + {', '.join(grid.prefix_names)}" if grid.prefix_names else ", no prefix tokens"
    st.caption(
        f"{vit.num_layers} layers · {vit.num_heads} heads · {grid.rows}×{grid.cols} patches of {grid.patch_size} px"
        f"{prefix} · {vit.num_parameters / 1e6:.1f} M parameters · {vit.device.type}, {vit.precision}"
    )


def _write_address() -> None:
    state = st.session_state
    for name, default in DEFAULTS.items():
        value = str(state.get(name, default))
        note_in_address(name, value if value != default else "")


def note_in_address(name: str, value: str) -> None:
    """Keep a value in the address, an empty one out of it; what is there already is not sent again."""
    if value and st.query_params.get(name) != value:
        st.query_params[name] = value
    elif not value and name in st.query_params:
        del st.query_params[name]
