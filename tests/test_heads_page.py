"""Heads as a page: what it says of the heads is what they do, and the head that is looked at is the one marked."""

from __future__ import annotations

import numpy as np
import pyarrow as arrow
import pytest
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.analysis import head_statistics, uniform_head
from vizvit.pages.heads import label_place, sentence
from vizvit.pictures.samples import SAMPLES


def script() -> None:
    import streamlit as st

    from vizvit.pages import heads
    from vizvit.pages.sidebar.choice import choose

    st.session_state.choice = choose()
    heads.page()


@pytest.fixture(scope="module")
def cap() -> vizvit.Capture:
    vit = vizvit.load_model("vizvit-tiny", device="cpu")
    return vizvit.capture(vit, vizvit.load_image(SAMPLES["cat"].read()))


def test_the_words_at_the_line_stand_where_no_dot_is():
    values = np.full((8, 4), 5.0)
    values[0] = 10.2  # above the line's beginning
    values[7] = 9.9
    start, above = label_place(values, 10.0, 11.0)
    assert above and start >= 0.5 and start + 0.3 * 8 <= 7
    assert label_place(np.full((4, 2), 10.3), 10.0, 11.0)[1] is False


def test_uniform_attention_by_hand(cap):
    grid, found = cap.grid, uniform_head(cap.grid)
    centres = [((row + 0.5) * grid.patch_size, (col + 0.5) * grid.patch_size) for row, col in np.ndindex(16, 16)]
    apart = [np.hypot(a[0] - b[0], a[1] - b[1]) for a in centres for b in centres]
    assert found["distance"] == pytest.approx(np.mean(apart), rel=1e-5)
    even = np.full(grid.num_tokens, 1 / grid.num_tokens)
    assert found["entropy"] == pytest.approx(-(even * np.log(even)).sum())
    assert found["prefix_share"] == pytest.approx(1 / 257)


def test_a_temperature_without_end_is_uniform(cap):
    with vizvit.intervene(cap.vit, vizvit.Temperature(1e6)) as flat:
        found = head_statistics(vizvit.capture_view(flat, cap.view))
    for name, value in uniform_head(cap.grid).items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, err_msg=name)


def test_what_is_said_of_them():
    values = np.array([[1.0, 8.0], [30.0, 12.0]])
    said = sentence("distance", values, 20.0, 257)
    assert "2 of 4 heads look less than half as far as uniform attention would (20 px)" in said
    assert "Nearest: layer 0, head 0, 1 px; farthest: layer 1, head 0, 30 px" in said
    said = sentence("entropy", np.log([[2.0, 50.0]]), np.log(257), 257)
    assert "as if each token looked at 2 of 257 tokens alike" in said and "as if at 50" in said
    said = sentence("prefix", np.array([[0.5, 0.001]]), 1 / 257, 257)
    assert "25.1 % of their attention to prefix tokens" in said and "1 of 2 heads" in said


def test_the_head_of_the_link_is_shown_and_marked(cap):
    at = AppTest.from_function(script, default_timeout=60)
    at.query_params |= {"layer": "3", "head": "2", "measure": "entropy"}
    at.run()
    assert not at.exception
    assert at.subheader[0].value == "Layer 3, head 2"
    assert [at.query_params[name] for name in ("layer", "head", "measure")] in (
        ["3", "2", "entropy"],
        [["3"], ["2"], ["entropy"]],
    )
    value = head_statistics(cap)["entropy"][3, 2]
    assert any(f"Mean entropy: {value:.3g} nats, mean of the entropies" in one.value for one in at.caption)
    (chart,) = [one.proto for one in walk(at.main) if getattr(getattr(one, "proto", None), "spec", "")]
    tables = [arrow.ipc.open_stream(one.data.data).read_pandas() for one in chart.datasets]
    (heads,) = [table for table in tables if "chosen" in table]
    assert len(heads) == 48
    assert heads[heads.chosen][["layer", "head"]].values.tolist() == [[3, 2]]


def walk(node):
    yield node
    for child in getattr(node, "children", {}).values():
        yield from walk(child)


def test_a_head_that_this_model_lacks_is_the_last_layers_first():
    at = AppTest.from_function(script, default_timeout=60)
    at.query_params |= {"layer": "99", "head": "2"}
    assert at.run().subheader[0].value == "Layer 7, head 0"
