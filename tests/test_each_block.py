"""Work that nobody waits for ends at the next block, forward and backward, whatever of the library is at it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.analysis import rollout
from vizvit.explanations import METHODS, explain
from vizvit.forward import recorder
from vizvit.forward.capture import capture_view
from vizvit.forward.each_block import EachBlock


class NobodyWaits(BaseException):
    """As Streamlit's own: no `except Exception` holds it up."""


class Blocks:
    """Counts the blocks, and ends the work at the one after the last."""

    def __init__(self, last: int | None = None):
        self.last = last
        self.seen = 0

    def __call__(self) -> None:
        if self.seen == self.last:
            raise NobodyWaits
        self.seen += 1


@pytest.fixture(scope="module")
def shipped() -> vizvit.VitModel:
    return vizvit.load_model("vizvit-tiny", device="cpu")


@pytest.fixture(scope="module")
def view(shipped, picture) -> np.ndarray:
    return shipped.view(picture)


def counted(work, last: int | None = None) -> int:
    blocks = Blocks(last)
    with EachBlock(blocks):
        work()
    return blocks.seen


def test_each_block_is_told_of_once_a_pass(shipped, view):
    forward = lambda: shipped.module(shipped.normalise(view))  # noqa: E731
    assert counted(forward) == shipped.num_layers

    def there_and_back() -> None:
        with torch.enable_grad():
            shipped.module(shipped.normalise(view).requires_grad_())[0, 3].backward()

    assert counted(there_and_back) == 2 * shipped.num_layers


def test_blocks_that_are_computed_anew_are_told_of_as_often(vit, pictures, monkeypatch):
    model = vit("vit_tiny_patch16_224", image_size=64, depth=3)
    view = model.view(pictures[0])
    seen = counted(lambda: capture_view(model, view, 3))
    assert seen >= 2 * model.num_layers  # forward, backward
    monkeypatch.setattr(recorder, "LARGE", 1)
    assert counted(lambda: capture_view(model, view, 3)) == seen
    plain = capture_view(model, view, 3).gradient_weighted_attention(0).numpy()
    with EachBlock(lambda: None):
        told = capture_view(model, view, 3).gradient_weighted_attention(0).numpy()
    np.testing.assert_array_equal(told, plain)


def test_what_is_watched_computes_the_same(shipped, view):
    plain = vizvit.capture_view(shipped, view)
    with EachBlock(lambda: None):
        told = vizvit.capture_view(shipped, view)
    np.testing.assert_array_equal(told.logits, plain.logits)
    np.testing.assert_array_equal(told.attention(3), plain.attention(3))


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if not method.control])
def test_an_explanation_ends_at_any_block(shipped, view, method):
    options = {"steps": 2} if method == "integrated_gradients" else {}
    work = lambda: explain(shipped, view, method, target=3, **options)  # noqa: E731
    whole = counted(work)
    assert whole >= shipped.num_layers
    for last in (0, whole // 2, whole - 1):
        with pytest.raises(NobodyWaits):
            counted(work, last)
    assert counted(work) == whole, "nothing is left behind"


def test_curves_end_within_a_batch(shipped, view):
    heat = np.random.default_rng(0).random((shipped.grid.rows, shipped.grid.cols))
    with pytest.raises(NobodyWaits):
        counted(lambda: vizvit.faithfulness(shipped, view, heat, target=3, steps=2), shipped.num_layers // 2)


def test_what_is_derived_of_a_capture_ends_at_a_layer(shipped, view):
    cap = vizvit.capture_view(shipped, view)
    with pytest.raises(NobodyWaits):
        counted(lambda: rollout(cap), shipped.num_layers // 2)


def outdated() -> None:
    """A run that the person leaves in the middle of a pass, as another click or a closed tab does."""
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    import vizvit
    from vizvit.forward.each_block import EachBlock
    from vizvit.pages.shared.store import turn

    seen = st.session_state.seen

    def leave() -> None:
        seen.append("a block")
        if len(seen) == 5:
            get_script_run_ctx().script_requests.request_stop()

    vit = vizvit.load_model("vizvit-tiny", device="cpu")
    pixels = vit.normalise(vit.view(vizvit.load_image(st.session_state.picture)))
    with turn(), EachBlock(leave):
        vit.module(pixels)


def test_a_pass_ends_at_the_next_block_when_its_run_is_outdated(picture, shipped):
    app = AppTest.from_function(outdated)
    seen: list[str] = []
    app.session_state.picture, app.session_state.seen = picture, seen
    app.run(timeout=60)
    assert not app.exception
    assert len(seen) == 5 < shipped.num_layers
