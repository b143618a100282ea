"""The shared sidebar: which picture and which model, kept across pages and in the address."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from PIL import Image

from vizvit.errors import CaptureError
from vizvit.forward.capture import Capture, capture
from vizvit.model.loading import SHIPPED
from vizvit.model.vit import VitModel
from vizvit.pages.shared import language
from vizvit.pages.shared.address import note_all
from vizvit.pages.shared.language import say
from vizvit.pages.shared.look import still_wanted
from vizvit.pages.shared.store import store, turn
from vizvit.pages.sidebar import picture
from vizvit.pages.sidebar.model_choice import WEIGHTS, ModelKey, choose_model, describe
from vizvit.pictures.samples import is_stranger

# What a link holds, and what it holds when it says nothing.
DEFAULTS = {"image": picture.DEFAULT, "model": SHIPPED, "weights": "pretrained", "arch": "", "height": "", "width": ""}


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
        """The capture of this picture by this model; forward passes of all sessions take turns."""

        def make() -> Capture:
            with st.spinner(say("sidebar")["running"]), turn(still_wanted()):
                return capture(self.vit, self.image)

        try:
            return store().captures.get(self.key, make, lambda cap: cap.nbytes, still_wanted())
        except CaptureError as error:
            st.error(say("look")["failed"].format(error=error))
            st.stop()

    def result(self, name: Hashable, make, size=lambda value: value.nbytes) -> Any:
        """Something derived from the capture, made once for all sessions."""

        def compute():
            with st.spinner(say("sidebar")["computing"]):
                return make()

        return store().results.get((*self.key, name), compute, size, still_wanted())


def choose() -> Choice:
    """Draw the sidebar and return the choice; where it cannot be had, say so and go on with what can."""
    state = st.session_state
    for name, default in DEFAULTS.items():
        state.setdefault(name, st.query_params.get(name, default))
    if state.weights not in WEIGHTS:
        state.weights = DEFAULTS["weights"]
    progress = st.container()  # in the main area, which a phone shows when the sidebar is folded away
    with st.sidebar:
        language.switch()
        thumbnail = st.container()
        image, image_name, image_key = picture.choose_picture(thumbnail)
        vit, model_key = choose_model(progress)
        describe(vit)
        if vit.labels and vit.trained and is_stranger(image_key, vit.labels):
            thumbnail.caption(say("picture")["stranger"])
    _write_address()
    return Choice(image, image_name, image_key, vit, model_key)


def _write_address() -> None:
    values = {name: str(st.session_state.get(name, default)) for name, default in DEFAULTS.items()}
    values = {name: value if value != DEFAULTS[name] else "" for name, value in values.items()}
    note_all(values | {"lang": language.in_address()})
