"""The row of comparisons: what is planned, what the explorer is handed, and what stands in the address."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit.explorer.payload import read_header
from vizvit.grid import PatchGrid
from vizvit.model.reach import rectangle, seen_of
from vizvit.model.resizing import filled
from vizvit.model.snapshots import snapshots
from vizvit.pages.explore import boxes, compare_capture
from vizvit.pages.shared.look import plain
from vizvit.pictures import perturb

GRID = PatchGrid(6, 8, 16, ("class",))


@pytest.fixture(scope="module")
def shipped() -> vizvit.VitModel:
    return vizvit.load_model()


@pytest.fixture(scope="module")
def cap(shipped) -> vizvit.Capture:
    return vizvit.capture(shipped, data.chelsea())


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(Path(__file__).parents[1] / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def chosen(app: AppTest, kind: str) -> AppTest:
    app.pills(key="compare").set_value(kind).run()
    assert not app.exception
    return app


def fed(app: AppTest) -> tuple[dict, dict, bytes] | None:
    """(feed's header, header of the capture in it, that capture's body) of the comparison."""
    for element in app.get("bidi_component"):
        header, body = parts(element.proto.bytes)
        if header.get("name") == "compare":
            return header, *parts(body)
    return None


def parts(frame: bytes) -> tuple[dict, bytes]:
    return read_header(frame), frame[8 + int.from_bytes(frame[4:8], "little") :]


def shown_view(capture: dict, body: bytes) -> np.ndarray:
    """The pixels in an explorer's blob, uint8 [H, W, 3]."""
    image = capture["image"]
    count = image["height"] * image["width"] * 3
    return np.frombuffer(body, np.uint8, count, image["offset"]).reshape(image["height"], image["width"], 3)


def param(app: AppTest) -> str:
    found = app.query_params.get("compare", "")
    return found[0] if isinstance(found, list) else found


# --- each kind


def test_nothing_is_compared_at_first():
    app = opened()
    assert app.pills(key="compare").value == "nothing"
    assert fed(app) is None and param(app) == ""
    assert len(app.get("bidi_component")) == 1


def test_another_picture(shipped):
    app = chosen(opened(), "picture")
    assert param(app) == "picture:coffee"  # the first sample that is not on the screen already
    app.pills(key="compare_picture").set_value("astronaut").run()
    assert param(app) == "picture:astronaut"
    header, capture, body = fed(app)
    assert header["linked"]["kind"] == "place" and header["trained"] is True
    assert "astronaut" in header["title"] and "vizvit-tiny" in header["caption"]
    np.testing.assert_array_equal(shown_view(capture, body), vizvit.capture(shipped, data.astronaut()).view)


def test_ones_own_second_picture_stays_out_of_the_address(shipped):
    buffer = io.BytesIO()
    Image.fromarray(data.rocket()).save(buffer, "PNG")
    app = chosen(opened(), "picture")
    app.file_uploader(key="compare_upload").upload("mine.png", buffer.getvalue(), "image/png").run()
    assert not app.exception and param(app) == ""
    header, capture, body = fed(app)
    assert header["title"] == "mine.png"
    np.testing.assert_array_equal(shown_view(capture, body), vizvit.capture(shipped, data.rocket()).view)


def test_a_file_that_is_no_picture_leaves_the_view_alone():
    app = chosen(opened(), "picture")
    app.file_uploader(key="compare_upload").upload("mine.png", b"no picture", "image/png").run()
    assert not app.exception and fed(app) is None and param(app) == ""
    assert [error for error in app.error if plain("mine.png") in error.value]
    assert len(app.get("bidi_component")) == 1


def test_another_model(shipped):
    app = chosen(opened(), "model")
    assert fed(app) is None and not app.error, "nothing is downloaded unasked"
    app.selectbox(key="compare_model").set_value("vizvit-tiny")
    app.segmented_control(key="compare_weights").set_value("random").run()
    assert not app.exception and param(app) == "model:vizvit-tiny:random"
    header, capture, _ = fed(app)
    assert header["trained"] is False and "untrained weights" in header["title"]
    assert header["linked"]["kind"] == "place"
    assert capture["num_layers"] == shipped.num_layers


def test_a_model_that_cannot_be_had_is_said_in_place():
    app = opened(compare="model:nosuchmodel_patch16")
    assert fed(app) is None
    assert [error for error in app.error if plain("nosuchmodel_patch16") in error.value]
    assert len(app.get("bidi_component")) == 1


def test_another_moment_of_training():
    app = chosen(opened(), "training")
    assert param(app) == "training:0" and fed(app)[0]["trained"] is False
    app.select_slider(key="compare_training").set_value(2).run()
    assert param(app) == "training:2"
    header, *_ = fed(app)
    assert header["trained"] is True and snapshots("vizvit-tiny")[2].title in header["title"]


def test_only_models_with_snapshots_have_moments_to_compare():
    app = opened(model="vit_tiny_patch16_224", weights="random", compare="training:1")
    assert app.pills(key="compare").value == "nothing"
    assert "another moment of training" not in app.pills(key="compare").options


@pytest.mark.parametrize(
    ("kind", "box", "linked"),
    [
        ("flip", None, {"kind": "flip", "box": [0, 0, 1, 1]}),
        ("crop", (0.2, 0.2, 0.8, 0.8), None),
        ("cover", None, {"kind": "place", "box": [0, 0, 1, 1]}),
    ],
)
def test_the_same_picture_changed(cap, kind, box, linked):
    app = chosen(opened(query="3,4"), kind)
    grid = cap.grid
    box = box or boxes.neighbourhood(grid, grid.token(3, 4))
    change = {"flip": lambda view, _: perturb.flip(view), "crop": perturb.crop, "cover": perturb.occlude}[kind]
    expected = change(cap.view, box)
    header, capture, body = fed(app)
    np.testing.assert_array_equal(shown_view(capture, body), expected)
    if kind == "crop":
        height, width = cap.view.shape[:2]
        pixels = np.divide(perturb.pixels(cap.view, box), (width, height, width, height))
        assert header["linked"]["kind"] == "crop" and header["linked"]["box"] == pytest.approx(pixels, abs=1e-6)
    else:
        assert header["linked"] == linked
    assert param(app) == (kind if kind != "cover" else f"cover:{boxes.text_of(box)}")


@pytest.mark.parametrize("kind", ["crop", "cover"])
def test_the_rectangle_drawn_is_used_when_asked_for(cap, kind, monkeypatch):
    area = None
    from vizvit.pages.explore import page as explore

    real = explore._pointed_at
    monkeypatch.setattr(explore, "_pointed_at", lambda start: real(start) | {"area": area})
    app = chosen(opened(), kind)
    before = shown_view(*fed(app)[1:])
    assert app.button(key="compare_area").disabled
    area = [1, 2, 3, 6]
    app.run()
    assert not app.button(key="compare_area").disabled
    np.testing.assert_array_equal(shown_view(*fed(app)[1:]), before, "not before it is asked for")
    app.button(key="compare_area").click().run()
    box = boxes.area_box(cap.grid, area)
    change = perturb.crop if kind == "crop" else perturb.occlude
    np.testing.assert_array_equal(shown_view(*fed(app)[1:]), change(cap.view, box))
    assert param(app) == f"{kind}:{boxes.text_of(box)}"
    area = [0, 0, 99, 99]  # drawn on another model's grid
    app.run()
    assert not app.exception and app.button(key="compare_area").disabled


# --- the address


@pytest.mark.parametrize(
    "link",
    [
        "picture:rocket",
        "model:vizvit-tiny",
        "model:vizvit-tiny:random",
        "training:1",
        "flip",
        "crop",
        "crop:0.25,0.125,0.75,0.5",
        "cover:0.125,0.125,0.5,0.5",
    ],
)
def test_a_link_opens_the_comparison(link):
    app = opened(compare=link)
    assert not app.error and fed(app) is not None
    assert param(app) == link


@pytest.mark.parametrize(
    "link",
    ["", "tea", "picture:nowhere", "training:99", "training:x", "crop:1,2,3", "crop:0.5,0,0.2,1", "cover:a,b,c,d"],
)
def test_links_that_say_nothing_sensible_break_nothing(link):
    app = opened(compare=link)
    assert not app.error
    kind = link.partition(":")[0]
    assert app.pills(key="compare").value == (kind if kind in ("picture", "training", "crop", "cover") else "nothing")


def test_turning_it_off_clears_the_address_and_on_again_remembers():
    app = opened(compare="training:1")
    chosen(app, "nothing")
    assert param(app) == "" and fed(app) is None
    chosen(app, "training")
    assert param(app) == "training:1"


# --- boxes and what models see


def test_boxes_are_whole_patches():
    assert boxes.area_box(GRID, (1, 2, 2, 5)) == pytest.approx((0.25, 1 / 6, 0.75, 0.5), abs=1e-4)
    assert boxes.area_box(GRID, None) is None and boxes.area_box(GRID, (0, 0, 6, 1)) is None
    assert boxes.snapped(GRID, (0.26, 0.15, 0.74, 0.49)) == boxes.area_box(GRID, (1, 2, 2, 5))
    assert boxes.snapped(GRID, (0.99, 0.99, 1, 1)) == boxes.area_box(GRID, (5, 7, 5, 7))
    assert boxes.snapped(GRID, (0, 0, 0.01, 0.01)) == boxes.area_box(GRID, (0, 0, 0, 0))
    for area in ((0, 0, 5, 7), (2, 3, 2, 3), (4, 1, 5, 6)):
        box = boxes.area_box(GRID, area)
        assert boxes.snapped(GRID, box) == box == boxes.box_of(boxes.text_of(box))


def test_the_neighbourhood_stays_within_the_picture():
    assert boxes.neighbourhood(GRID, GRID.token(0, 0)) == boxes.area_box(GRID, (0, 0, 1, 1))
    assert boxes.neighbourhood(GRID, GRID.token(5, 7)) == boxes.area_box(GRID, (4, 6, 5, 7))
    assert boxes.neighbourhood(GRID, GRID.token(3, 3)) == boxes.area_box(GRID, (2, 2, 4, 4))
    for prefix in (0, 10**6):
        assert boxes.neighbourhood(GRID, prefix) == boxes.area_box(GRID, (1, 2, 3, 4))


@pytest.mark.parametrize("size", [(600, 400), (300, 500), (97, 50), (3000, 2000)])
def test_what_a_model_sees_of_a_picture(vit, size):
    """Resizing to side / crop_pct and cutting out the middle, as timm's evaluation does."""
    model = vit("vit_tiny_patch16_224")
    width, height = size
    fraction = 0.9 * min(size)
    left, top, right, bottom = seen_of(model, size)
    expected = [(width - fraction) / 2 / width, (height - fraction) / 2 / height]
    assert (left, top) == pytest.approx(expected, abs=0.01)
    assert (right, bottom) == pytest.approx([1 - edge for edge in expected], abs=0.01)


@pytest.mark.parametrize("size", [(600, 400), (451, 300), (300, 500), (97, 50), (400, 400)])
def test_a_rectangle_of_as_many_patches_holds_the_whole_picture(vit, size):
    height, width = rectangle(PatchGrid(14, 14, 16, ("class",)), size)
    assert height % 16 == width % 16 == 0 and 0.85 < height * width / 224**2 < 1.15
    assert width / height == pytest.approx(size[0] / size[1], rel=0.06)
    model = vit("vit_tiny_patch16_224", image_size=(height, width))
    whole = replace(model, _spatial=filled(model._spatial, (height, width)))
    left, top, right, bottom = seen_of(whole, size)
    assert max(left, top, 1 - right, 1 - bottom) < 0.035


def test_no_rectangle_is_longer_than_four_times_its_width():
    assert rectangle(PatchGrid(14, 14, 16, ()), (10_000, 1)) == (7 * 16, 28 * 16)


def test_a_model_that_sees_another_part_is_linked_by_place(shipped, vit):
    wide = vit("vit_tiny_patch16_224")
    image = Image.fromarray(data.chelsea())
    one, two = seen_of(shipped, image.size), seen_of(wide, image.size)
    left, top, right, bottom = compare_capture.seen_from(shipped, wide, image)
    assert one[0] + left * (one[2] - one[0]) == pytest.approx(two[0])
    assert one[1] + bottom * (one[3] - one[1]) == pytest.approx(two[3])
    assert compare_capture.seen_from(shipped, shipped, image) == (0, 0, 1, 1)
    assert right > left and bottom > top
