"""Which of the pictures at hand a model takes for the most alike: by the cosine of their feature vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from vizvit.analysis.likeness import cosine
from vizvit.forward.capture import capture
from vizvit.pages.shared.language import say
from vizvit.pages.shared.photo import decoded, photo_key
from vizvit.pages.shared.pixels import photo_url
from vizvit.pages.shared.store import once, turn
from vizvit.pages.sidebar.choice import Choice
from vizvit.pictures.samples import SAMPLES

_SIDE = 96  # pixels of a picture beside its bar


@dataclass(frozen=True)
class Near:
    """title: of the picture; image: a small one as a data URL; cosine: of its features with those asked for."""

    title: str
    image: str
    cosine: float


def nearest(choice: Choice, features: np.ndarray) -> list[Near]:
    """The sample pictures other than the chosen one, the most alike first. features: [dim], of the chosen picture."""
    t, found = say("picture"), []
    for name, sample in SAMPLES.items():
        data = sample.read()
        key = photo_key(data)
        if key == choice.image_key:
            continue

        def make(data: bytes = data) -> np.ndarray:
            with st.spinner(say("sidebar")["running"]), turn():
                return capture(choice.vit, decoded(data)).features

        vector = once((choice.model_key, key, "features"), make)
        small = decoded(data).copy()
        small.thumbnail((_SIDE, _SIDE))
        found.append(Near(t[name], photo_url(np.asarray(small)), cosine(features, vector)))
    return sorted(found, key=lambda one: -one.cosine)
