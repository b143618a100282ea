"""The shared sidebar: which picture and which model, kept across pages and in the address."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from PIL import Image

from vizvit.errors import CaptureError
from vizvit.forward.capture import Capture, capture
from vizvit.model.loading import SHIPPED
from vizvit.model.vit import VitModel
from vizvit.model.work import Work
from vizvit.pages.shared import language, look
from vizvit.pages.shared.address import note_all
from vizvit.pages.shared.language import say
from vizvit.pages.shared.store import is_made, once, still_wanted, store, turn
from vizvit.pages.sidebar import picture
from vizvit.pages.sidebar.model_choice import OUTPUTS, WEIGHTS, ModelKey, choose_model, describe
from vizvit.pages.sidebar.whole import reaching, seen_part
from vizvit.pictures.samples import is_stranger

# Multiply-adds above which work lets looks go first: of a forward pass, and of a pass over all attention. A ViT-B/16 at
# 224 pixels takes 18 and 0.7 billion, a ViT-S/14 at 518 pixels 47 and 17.
LARGE, MANY = 30e9, 5e9
# What a link holds, and what it holds when it says nothing.
DEFAULTS = {"image": picture.DEFAULT, "model": SHIPPED, "weights": "pretrained"}
DEFAULTS |= dict.fromkeys(("arch", "height", "width", "outputs"), "")
WHOLE = "whole"  # in the address while a model sees more of a picture than its own square


@dataclass(frozen=True)
class Choice:
    """What is looked at: the picture, the model, and the keys under which all sessions share what comes of them."""

    image: Image.Image
    image_name: str
    image_key: str
    vit: VitModel
    model_key: ModelKey

    @property
    def key(self) -> tuple:
        return self.model_key, self.image_key

    def capture(self) -> Capture:
        """The capture of this picture by this model; where there is none, the page says why and ends."""
        try:
            return self.captured(lambda: capture(self.vit, self.image))
        except CaptureError as error:
            st.error(look.failure("capture", error))
            st.stop()

    def captured(self, make: Callable[[], Capture], *name: Hashable, heavy: bool = False) -> Capture:
        """A capture that `make` makes of what is chosen, once for all sessions; their forward passes take turns.

        heavy: what others look at goes first, as it does with a large model or input, of which one pass takes seconds.
        """

        def run() -> Capture:
            aside = heavy or Work.of(self.vit).multiply_adds > LARGE
            with st.spinner(say("sidebar")["running"]), turn(heavy=aside):
                return make()

        return store().captures.get((*self.key, *name), run, lambda cap: cap.nbytes, still_wanted())

    def result(self, name: Hashable, make: Callable[[], Any], size=lambda value: value.nbytes) -> Any:
        """Something derived from the capture, made once for all sessions."""

        def run() -> Any:
            with st.spinner(say("sidebar")["computing"]):
                return make()

        return once((*self.key, name), run, size)

    def derived(self, name: Hashable, make: Callable[[], Any], size=lambda value: value.nbytes) -> Any:
        """`result` of what goes over all attention: with many tokens it waits for its turn, and looks go first."""

        def run() -> Any:
            with turn(heavy=True):
                return make()

        return self.result(name, run if Work.of(self.vit).attention > MANY else make, size)

    def has(self, name: Hashable) -> bool:
        """Whether `result` would have it at once."""
        return is_made((*self.key, name))


def choose() -> Choice:
    """Draw the sidebar and return the choice; where it cannot be had, say so and go on with what can."""
    state = st.session_state
    state.pop("choice", None)  # Streamlit keeps what is replaced until the next run: two models a session
    for name, default in DEFAULTS.items():
        state.setdefault(name, st.query_params.get(name, default))
    state.setdefault(WHOLE, st.query_params.get(WHOLE) == "1")
    if state.weights not in WEIGHTS:
        state.weights = DEFAULTS["weights"]
    if state.outputs not in OUTPUTS:
        state.outputs = DEFAULTS["outputs"]
    progress = st.container(key="loading")  # in the main area, which a phone shows when the sidebar is folded away
    with st.sidebar:
        language.switch()
        thumbnail = st.container()
        shown = thumbnail.empty()
        image, image_name, image_key = chosen = picture.choose_picture(shown)
        vit, model_key = reaching(progress, thumbnail, image.size, *choose_model(progress))
        picture.frame(shown, chosen, seen_part(vit, model_key, image.size))
        describe(vit)
        if vit.labels and vit.trained and vit.outputs != "value" and is_stranger(image_key, vit.labels):
            thumbnail.caption(say("picture")["stranger"])
    _write_address()
    return Choice(image, image_name, image_key, vit, model_key)


def _write_address() -> None:
    values = {name: str(st.session_state.get(name, default)) for name, default in DEFAULTS.items()}
    values = {name: value if value != DEFAULTS[name] else "" for name, value in values.items()}
    whole = "1" if st.session_state.get(WHOLE) else ""
    note_all(values | {WHOLE: whole, "lang": language.in_address()})
