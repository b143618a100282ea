"""Rollout as a page: what it says of the flow is what the flow is, and a link opens it with the same settings."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.analysis import standing_out
from vizvit.pages.rollout import sentence
from vizvit.pages.shared import pixels


def script() -> None:
    import streamlit as st

    from vizvit.pages import rollout
    from vizvit.pages.sidebar.choice import choose

    st.session_state.choice = choose()
    rollout.page()


def page(**params: str) -> AppTest:
    at = AppTest.from_function(script, default_timeout=60)
    at.query_params |= params
    return at.run()


@pytest.fixture
def dots() -> np.ndarray:
    """A map of nearly equal patches, two of which have half of all."""
    heat = np.random.default_rng(0).uniform(0.9, 1.1, (37, 37))
    heat[3, 4] = heat[20, 30] = 0
    heat[3, 4], heat[20, 30] = 0.3 * heat.sum(), 0.7 * heat.sum()
    return 0.8 * heat / heat.sum()  # the rest stays with prefix tokens


def test_which_patches_stand_out(dots):
    assert np.argwhere(standing_out(dots)).tolist() == [[3, 4], [20, 30]]
    assert not standing_out(np.random.default_rng(1).uniform(0.9, 1.1, (37, 37))).any()
    assert not standing_out(np.zeros((4, 4))).any()
    some = np.where(np.arange(1369).reshape(37, 37) < 500, 0, dots)  # what has nothing is no measure of the rest
    assert np.argwhere(standing_out(some)).tolist() == [[20, 30]]


def test_what_is_said_of_them(dots):
    said = sentence(dots, standing_out(dots), "class token")
    assert "2 of 1,369 patches carry 40.0 % of the flow to the class token" in said and "would carry 0.1 %" in said
    assert said.index("row 20, column 30 (28.0 %)") < said.index("row 3, column 4 (12.0 %)")
    even = np.full((4, 4), 1 / 16)
    assert "half of the flow from the picture to the class token comes from 8 of 16 patches" in sentence(
        even, standing_out(even), "class token"
    )


def test_a_link_opens_the_same_settings_and_is_written_again():
    link = {"fusion": "max", "residual": "0.3", "discard": "0.9", "start": "2", "query": "3,4"}
    link |= {"scale": "percentile", "curve": "log"}
    at = page(**link)
    assert not at.exception
    assert at.slider(key="rollout_residual").value == 0.3
    assert at.slider(key="rollout_discard").value == 0.9
    token = at.selectbox(key="rollout_token_257")
    assert token.value == 1 + 3 * 16 + 4
    now = {name: value[0] if isinstance(value, list) else value for name, value in at.query_params.items()}
    assert {name: now.get(name) for name in link} == link
    assert any("1st to its 99th percentile, logarithmic" in one.value for one in at.caption)
    at = page(fusion="median", residual="nan", discard="7", start="99", query="x", scale="?", curve="?")
    assert not at.exception
    now = at.query_params.to_dict() if hasattr(at.query_params, "to_dict") else dict(at.query_params)
    assert not {"fusion", "residual", "discard", "start", "query", "scale", "curve"} & {k for k, v in now.items() if v}


def test_what_each_layer_changed_adds_up():
    at = page()
    assert not at.exception
    strips = [[one.caption for one in found.proto.imgs] for found in at.main.get("image") if len(found.proto.imgs) > 1]
    assert [len(strip) for strip in strips] == [8, 7]
    vit = vizvit.load_model("vizvit-tiny", device="cpu")
    from vizvit.pictures.samples import SAMPLES

    cap = vizvit.capture(vit, vizvit.load_image(SAMPLES["cat"].read()))
    steps = vizvit.rollout_steps(cap)
    part = steps[3] - steps[2]
    moved = 100 * (np.abs(part).sum() + abs(part.sum())) / 2
    assert strips[1][2] == f"layer 3: {moved:.1f} %"


def test_patches_that_are_marked_have_an_edge_and_nothing_else_changes():
    import cv2

    view = np.full((8, 8, 3), 100, np.uint8)
    heat = np.ones((2, 2))
    plain, marked = (
        cv2.imdecode(np.frombuffer(pixels.picture(view, heat, side=80, marked=boxes), np.uint8), cv2.IMREAD_COLOR)
        for boxes in ((), [(4, 0, 8, 4)])
    )
    differs = (plain != marked).any(-1)
    assert differs[20:60, 38:41].sum() and not differs[45:, :].any() and not differs[:, :36].any()
    assert not differs[8:32, 48:72].any()  # the patch itself is seen


def test_a_large_view_is_made_smaller_to_whole_pixels_a_patch():
    import cv2

    view, heat = np.full((140, 70, 3), 90, np.uint8), np.zeros((10, 5), np.float32)
    heat[3, 2] = 1
    box = (28, 42, 42, 56)  # of that patch
    found, marked = (
        cv2.imdecode(np.frombuffer(pixels.picture(view, heat, side=83, marked=boxes), np.uint8), cv2.IMREAD_COLOR)
        for boxes in ((), [box])
    )
    assert found.shape == (80, 40, 3)
    bright = (found != found[0, 0]).any(-1)
    assert bright[24:32, 16:24].all() and bright.sum() == 64
    assert (found == marked)[24:32, 16:24].all() and (found != marked)[23:33, 15:25].any()
    signed = cv2.imdecode(np.frombuffer(pixels.signed_picture(heat, 1.0, 83), np.uint8), cv2.IMREAD_COLOR)
    assert signed.shape == (80, 40, 3) and (signed != signed[0, 0]).any(-1).sum() == 64
