"""The explorer's Python side: what is sent, in how many bytes, and which choice holds."""

import ast
from pathlib import Path

import numpy as np
import pytest
from explorer_fake import FakeCapture
from matplotlib import colormaps
from streamlit.testing.v1 import AppTest

from vizvit import explorer
from vizvit.errors import CaptureError
from vizvit.explorer import selection
from vizvit.explorer.payload import frame, read_header

HERE = Path(explorer.__file__).parent


def body_of(blob):
    return blob[8 + int.from_bytes(blob[4:8], "little") :]


def halves(blob, section, shape):
    values = np.frombuffer(body_of(blob), np.float16, int(np.prod(shape)), section["offset"])
    return np.ldexp(values.astype(np.float64), section["exponent"]).reshape(shape)


def decoded_attention(blob, cap, index):
    """[head, query, key] by NumPy from the bytes."""
    section = read_header(blob)["layers"][index]
    shape = (cap.num_heads, cap.num_tokens, section["head_dim"])
    queries, keys = halves(blob, section["queries"], shape), halves(blob, section["keys"], shape)
    scores = queries @ keys.swapaxes(-1, -2) * section["scale"]
    if section["bias"]:
        scores = scores + halves(blob, section["bias"], (section["bias"]["heads"], cap.num_tokens, cap.num_tokens))
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bias": 2},
        {"bias": 1, "prefix": ("class", "register 1", "register 2")},
        {"prefix": ()},
        {"sizes": (1e5, 1e-3)},
        {"sizes": (1e-6, 3e7)},
    ],
    ids=["plain", "bias", "shared bias", "no prefix", "large queries", "tiny queries"],
)
def test_attention_survives_half_precision(options):
    cap = FakeCapture(**options)
    blob = explorer.encode(cap, cap.image)
    for layer in range(cap.num_layers):
        expected = cap.attention(layer)
        error = np.abs(decoded_attention(blob, cap, layer) - expected)
        assert (error <= 2e-3 * expected.max(-1, keepdims=True)).all()


def test_key_mean_is_sent_for_the_true_scores():
    cap = FakeCapture()
    blob = explorer.encode(cap, cap.image)
    section = read_header(blob)["layers"][1]
    mean = np.frombuffer(body_of(blob), np.float32, 2 * 8, section["key_mean"]).reshape(2, 8)
    np.testing.assert_allclose(mean, cap.keys(1).mean(1), atol=1e-6)


def test_masked_keys_stay_masked():
    cap = FakeCapture(bias=2)
    blob = explorer.encode(cap, cap.image)
    bias = halves(blob, read_header(blob)["layers"][0]["bias"], (2, 13, 13))
    assert np.isneginf(bias[:, 1, 2]).all() and np.isneginf(bias).sum() == 2


def test_picture_and_colours_are_sent_as_they_are():
    cap = FakeCapture()
    blob = explorer.encode(cap, cap.image)
    header, body = read_header(blob), body_of(blob)
    pixels = np.frombuffer(body, np.uint8, cap.image.size, header["image"]["offset"])
    assert (pixels.reshape(cap.image.shape) == cap.image).all()
    assert header["colours"].keys() == {"viridis", "cividis", "inferno", "difference"}
    for name, offset in header["colours"].items():
        colours = np.frombuffer(body, np.uint8, 1024, offset).reshape(256, 4)
        expected = colormaps["RdBu_r" if name == "difference" else name](np.arange(256))
        assert np.abs(colours / 255 - expected).max() < 1 / 255


def test_every_section_is_aligned():
    cap = FakeCapture(bias=1, dim=5, heads=3)
    blob = explorer.encode(cap, cap.image)
    header = read_header(blob)
    offsets = [header["image"]["offset"], *header["colours"].values()]
    for section in header["layers"]:
        offsets += [section["key_mean"], *(section[name]["offset"] for name in ("queries", "keys", "bias"))]
    assert not any(offset % 16 for offset in offsets)
    assert (len(blob) - len(body_of(blob))) % 16 == 0


def test_windows_keep_the_budget_and_cover_all_layers():
    cap = FakeCapture(layers=7)
    size = 2 * 2 * cap.queries(0).size
    assert explorer.window(cap) == range(7)
    windows = [explorer.window(cap, layer, budget=3 * size) for layer in range(7)]
    assert all(layer in layers and len(layers) <= 3 for layer, layers in enumerate(windows))
    assert len(set(windows)) == 3
    assert explorer.window(cap, 5, budget=1) == range(5, 6)
    assert explorer.window(cap, 99, budget=size) == explorer.window(cap, None, budget=size) == range(6, 7)


def test_windows_of_one_capture_share_their_fingerprint():
    cap, other = FakeCapture(), FakeCapture(seed=1)
    first = read_header(explorer.encode(cap, cap.image, [0]))["capture"]
    assert first == read_header(explorer.encode(cap, cap.image, [1, 2]))["capture"]
    assert first != read_header(explorer.encode(other, cap.image))["capture"]
    assert first != read_header(explorer.encode(cap, 255 - cap.image))["capture"]


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32)])
def test_another_kind_of_image_is_refused(image):
    with pytest.raises(CaptureError, match=r"uint8 image of shape \[H, W, 3\]"):
        explorer.encode(FakeCapture(), image)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(value):
    cap = FakeCapture()
    cap._queries[1, 0, 0, 0] = value
    with pytest.raises(CaptureError, match="queries of layer 1 hold NaN or infinity"):
        explorer.encode(cap, cap.image)


def test_bytes_that_are_no_payload_are_refused():
    with pytest.raises(CaptureError, match="not an explorer payload"):
        explorer.mount(b"something else", key="x")


def test_the_module_does_not_know_models():
    imported = set()
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module)
    ours = {name for name in imported if name.startswith("vizvit.")}
    below = ("_version", "errors", "explorer", "features", "files", "reading", "texts")
    known = tuple(f"vizvit.{room}" for room in below)
    assert all(name.startswith(known) for name in ours), ours
    assert not {name.split(".")[0] for name in imported} & {"torch", "timm"}


START = selection.start()  # the display and the directions that a visit starts with


def chosen(**values):
    return START | values


class Page:
    """Reruns of one page: what the browser reported stands in the session state under the component's key."""

    def __init__(self, monkeypatch):
        self.state = {}
        monkeypatch.setattr(explorer.st, "session_state", self.state)

    def run(self, cap, wanted=None):
        start, current = explorer._choose(read_header(explorer.encode(cap, cap.image)), wanted, "x")
        self.start = start
        return current

    def report(self, **choice):
        self.state["x"] = {"selection": chosen(**choice) | {"start": self.start["number"]}}


@pytest.fixture
def page(monkeypatch):
    return Page(monkeypatch)


def test_a_page_starts_at_the_last_layer_mean_of_heads_first_token(page):
    assert page.run(FakeCapture()) == chosen(layer=2, head=None, token=0)


def test_a_settled_choice_is_returned_and_does_not_change_what_is_sent(page):
    cap = FakeCapture()
    page.run(cap)
    sent = page.start
    page.report(layer=1, head=0, token=5)
    returned = page.run(cap)
    assert returned == chosen(layer=1, head=0, token=5)
    assert page.run(cap, wanted=returned) == returned  # passing on what was returned
    assert (page.start["number"], page.start["selection"]) == (sent["number"], sent["selection"])


def test_a_page_that_passes_on_what_was_returned_stays_behind_the_browser(page):
    cap = FakeCapture()
    returned = page.run(cap)
    for layer in (1, 0, 1, 2):
        page.report(layer=layer, head=0, token=5)
        returned = page.run(cap, wanted=returned)
        assert returned["layer"] == layer and page.start["number"] == 1


def test_a_wish_can_be_repeated_after_another(page):
    cap, first, second = (
        FakeCapture(),
        chosen(layer=0, head=1, token=3),
        chosen(layer=1, head=1, token=3),
    )
    assert [page.run(cap, wish) for wish in (first, second, second, first)] == [first, second, second, first]


def test_a_constant_wish_holds_only_at_the_start(page):
    cap, wish = FakeCapture(), chosen(layer=0, head=1, token=3)
    assert page.run(cap, wish) == wish
    page.report(layer=2, head=None, token=0)
    assert page.run(cap, wish) == chosen(layer=2, head=None, token=0)


def test_a_new_wish_moves_the_explorer_and_outdates_earlier_choices(page):
    cap, wish = FakeCapture(), chosen(layer=-1, head=1, token=3)
    page.run(cap)
    page.report(layer=1, head=0, token=5)
    page.run(cap)
    assert page.run(cap, wish) == chosen(layer=2, head=1, token=3)
    assert page.start["number"] == 2
    assert page.run(cap) == chosen(layer=2, head=1, token=3)
    page.report(layer=0, head=0, token=5)
    assert page.run(cap) == chosen(layer=0, head=0, token=5)


def test_another_grid_keeps_layer_and_head_and_lets_go_of_the_patch(page):
    page.run(FakeCapture())
    page.report(layer=2, head=1, token=5)
    assert page.run(FakeCapture(rows=5)) == chosen(layer=2, head=1, token=0)
    assert page.run(FakeCapture(rows=5, heads=1, layers=2)) == chosen(layer=1, head=None, token=0)


def test_another_picture_on_the_same_grid_keeps_everything(page):
    page.run(FakeCapture())
    page.report(layer=2, head=1, token=5)
    assert page.run(FakeCapture(seed=3)) == chosen(layer=2, head=1, token=5)
    assert page.start["number"] == 1


def test_coming_back_to_the_page_goes_on_where_it_was(page):
    cap = FakeCapture()
    page.run(cap)
    page.report(layer=1, head=1, token=5)
    page.run(cap)
    del page.state["x"]  # Streamlit forgets the state of what was not drawn
    assert page.run(cap) == chosen(layer=1, head=1, token=5)
    assert page.start["selection"] == chosen(layer=1, head=1, token=5)


def test_the_layer_asked_for_is_read_from_the_state(page):
    assert explorer.wanted_layer("x") is None
    assert explorer.wanted_layer("x", 3) == 3
    page.state["x"] = {"layer": 1}
    assert explorer.wanted_layer("x", 3) == 1


def test_a_frame_carries_any_letters():
    header = read_header(frame({"text": "層 8"}, b"abc"))
    assert header == {"text": "層 8"}


def test_mounting_twice_sends_the_same_bytes_and_a_move_sends_others():
    def page():
        import streamlit as st
        from explorer_fake import FakeCapture

        from vizvit import explorer

        cap = FakeCapture()
        wish = {"layer": 0, "head": 1, "token": 4} if st.checkbox("move") else None
        st.session_state.returned = explorer.mount(explorer.encode(cap, cap.image), key="x", selection=wish)

    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    first = app.get("bidi_component")[0].proto.bytes
    assert read_header(first)["selection"] == chosen(layer=2, head=None, token=0)
    assert app.run().get("bidi_component")[0].proto.bytes == first
    moved = app.checkbox[0].check().run().get("bidi_component")[0].proto.bytes
    assert read_header(moved)["selection"] == app.session_state["returned"] == chosen(layer=0, head=1, token=4)
