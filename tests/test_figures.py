"""Figures show the values they are given: pixels, boxes, colour bars and files are checked against them."""

import io
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from vizvit import figures
from vizvit.figures import figure_bytes, overlay
from vizvit.figures import page as canvas

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (96, 144, 3), dtype=np.uint8)
HEAT = RNG.random((6, 9)).astype(np.float32) * 0.03
CAPTION = "What the class token reads in layer 3, of trained weights, from 0 to each map's greatest value."


def similarity(rows=4, cols=6) -> np.ndarray:
    vectors = RNG.standard_normal((rows * cols, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors @ vectors.T).reshape(rows, cols, rows, cols)


ALL = {
    "overlay": lambda **o: figures.overlay_figure(PICTURE, HEAT, query=(5, 8), **o),
    "heads": lambda **o: figures.heads_figure(RNG.random((5, 6, 9)), image=PICTURE, query=(0, 0), **o),
    "heads_bare": lambda **o: figures.heads_figure(RNG.random((3, 6, 9)), shared_scale=True, **o),
    "layers_heads": lambda **o: figures.layers_heads_figure(RNG.random((4, 3, 6, 9)), **o),
    "steps": lambda **o: figures.steps_figure(PICTURE, RNG.random((4, 6, 9)), **o),
    "similarity": lambda **o: figures.position_similarity_figure(similarity(), selected=(1, 2), **o),
    "depth": lambda **o: figures.depth_figure(RNG.random((4, 3)), ylabel="distance (pixels)", selected=(1, 2), **o),
    "filters": lambda **o: figures.filters_figure(RNG.random((9, 4, 4, 3)), **o),
}


RISING = np.linspace(0, 1, 9 * 4 * 4 * 3)
FIXED = {  # of the same numbers each time
    "overlay": ALL["overlay"],
    "depth": lambda **o: figures.depth_figure(RISING[:12].reshape(4, 3), ylabel="distance (pixels)", **o),
    "filters": lambda **o: figures.filters_figure(RISING.reshape(9, 4, 4, 3), **o),
}


def rendered(figure, dpi=100) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(figure_bytes(figure, dpi=dpi))).convert("RGB"))


def labelled(figure, label: str) -> list:
    return [axes for axes in figure.axes if axes.get_label() == label]


def words(figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


# --- overlay ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opacity", [0, 0.35, 0.6, 1])
@pytest.mark.parametrize("colormap", ["viridis", "magma"])
def test_every_patch_is_blended_exactly(opacity, colormap):
    result = overlay(PICTURE, HEAT, colormap=colormap, opacity=opacity)
    assert result.dtype == np.uint8
    assert result.shape == PICTURE.shape
    for row in range(6):
        for col in range(9):
            box = np.s_[16 * row : 16 * (row + 1), 16 * col : 16 * (col + 1)]
            color = np.array(matplotlib.colormaps[colormap](float(HEAT[row, col] / HEAT.max()))[:3]) * 255
            expected = (1 - opacity) * PICTURE[box].astype(float) + opacity * color
            assert np.abs(result[box] - expected).max() <= 0.51


def test_the_photograph_shows_through_where_little_is_attended():
    grey = np.full((2, 2, 3), 100, np.uint8)
    heat = np.array([[0, 1], [2, 4]])
    light = overlay(grey, heat, opacity=0.8, blend="light")[..., 0]
    assert light.tolist() == [[20, 40], [60, 100]]  # 100 · (1 - 0.8 · (1 - v))
    first, *_, last = overlay(grey, heat, colormap="gray", opacity=0.25, blend="fade").reshape(4, 3).tolist()
    dimmed = 100 * (1 - 0.25) + 44 * 0.25  # half as opaque, √0.25, over half of the dimming
    assert first == [round(dimmed)] * 3 and last == [round(0.5 * dimmed + 0.5 * 255)] * 3
    for blend in ("fade", "light", "veil"):
        np.testing.assert_array_equal(overlay(PICTURE, HEAT, opacity=0, blend=blend), PICTURE)


@pytest.mark.parametrize(
    ("height", "width", "rows", "cols"), [(97, 50, 7, 3), (5, 5, 7, 7), (1, 1, 14, 14), (33, 64, 2, 5)]
)
def test_a_pixel_belongs_to_the_patch_that_holds_its_centre(height, width, rows, cols):
    heat = np.arange(rows * cols, dtype=float).reshape(rows, cols)
    result = overlay(np.zeros((height, width, 3), np.uint8), heat, colormap="gray", opacity=1, vmax=255)
    for y in range(height):
        for x in range(width):
            row, col = int((y + 0.5) / height * rows), int((x + 0.5) / width * cols)
            assert abs(int(result[y, x, 0]) - heat[row, col]) <= 1


def test_scale_is_zero_to_maximum_or_vmax():
    black = np.zeros((4, 4, 3), np.uint8)
    heat = np.array([[0, 1], [2, 4]])
    gray = {"colormap": "gray", "opacity": 1}
    assert overlay(black, heat, **gray)[::2, ::2, 0].tolist() == [[0, 64], [128, 255]]
    np.testing.assert_array_equal(overlay(black, heat * 1e-6, **gray), overlay(black, heat, **gray))
    assert overlay(black, heat, vmax=2, **gray)[::2, ::2, 0].tolist() == [[0, 128], [255, 255]]
    dark = np.rint(np.array(matplotlib.colormaps["viridis"](0)[:3]) * 255)
    for vmax in (None, 0):
        assert (overlay(black, np.zeros((2, 2)), opacity=1, vmax=vmax) == dark).all()


def test_limits_and_logarithm():
    black = np.zeros((4, 4, 3), np.uint8)
    heat = np.array([[0, 1], [10, 100]])

    def shown(heat=heat, **options) -> list:
        return overlay(black, heat, colormap="gray", opacity=1, **options)[::2, ::2, 0].tolist()

    assert shown(low=1, high=51) == [[0, 0], [46, 255]]
    assert shown(log=True) == [[0, 0], [128, 255]]
    assert shown(low=1e-2, high=1e2, log=True) == [[0, 128], [192, 255]]
    assert shown(high=0, low=0) == [[0, 255], [255, 255]]
    assert shown(np.zeros((2, 2)), log=True) == [[0, 0], [0, 0]]
    assert shown(np.full((2, 2), 3), log=True) == [[127, 127], [127, 127]]
    assert shown(np.full((2, 2), 3)) == [[170, 170], [170, 170]]  # not bright: no patch stands out
    for mode in ("own", "absolute", "percentile"):
        low, high = figures.limits(HEAT, mode, log=True)
        overlay(PICTURE, HEAT, low=low, high=high, log=True, smooth=True)


def test_limits_by_mode():
    heat = np.arange(101, dtype=float).reshape(1, 101) / 200
    assert figures.limits(heat) == (0, 0.5)
    assert figures.limits(heat, others=[heat * 1.5, heat[0, :3]]) == (0, 0.75)
    assert figures.limits(heat, "absolute") == (0, 1)
    assert figures.limits(heat, "percentile") == pytest.approx((0.005, 0.495))
    assert figures.limits(heat, log=True) == pytest.approx((0.005, 0.5))
    assert figures.limits(heat**4, log=True) == pytest.approx((0.5**4 * 1e-4, 0.5**4))
    assert figures.limits(heat, "absolute", log=True) == (1e-4, 1)
    assert figures.limits(heat, "percentile", log=True) == pytest.approx((0.005, 0.495))
    assert figures.limits(np.zeros((2, 2))) == (0, 1)
    assert figures.limits(np.zeros((2, 2)), log=True) == (1e-4, 1)
    assert figures.limits(np.full((2, 2), 0.2), log=True) == pytest.approx((0.2 / 1.5, 0.3))
    assert figures.limits(np.full((2, 2), 0.2), "percentile") == pytest.approx((0, 0.3))
    sparse = np.zeros(1000)
    sparse[0] = 0.3
    assert figures.limits(sparse, "percentile") == pytest.approx((0, 0.3))
    for values, mode in ((HEAT, "shared"), (-HEAT, "own"), (HEAT * np.nan, "own"), (HEAT[:0], "own")):
        with pytest.raises(ValueError, match="expected"):
            figures.limits(values, mode)


def test_smooth_passes_through_the_patch_centres():
    heat = cv2.GaussianBlur(RNG.random((8, 8)).astype(np.float32), (0, 0), 1.5)
    black = np.zeros((8 * 15, 8 * 15, 3), np.uint8)
    result = overlay(black, heat, colormap="gray", opacity=1, smooth=True)[..., 0]
    assert np.abs(result[7::15, 7::15] / 255 - heat / figures.limits(heat)[1]).max() < 0.01
    steps = np.abs(np.diff(result.astype(int), axis=1))
    assert steps.max() < np.abs(np.diff(np.rint(heat / heat.max() * 255), axis=1)).max() / 4


def test_pil_images_and_arrays_agree_and_are_not_changed():
    picture, heat = PICTURE.copy(), HEAT.copy()
    np.testing.assert_array_equal(overlay(Image.fromarray(picture), heat), overlay(picture, heat))
    np.testing.assert_array_equal(picture, PICTURE)
    np.testing.assert_array_equal(heat, HEAT)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image": PICTURE[..., 0]}, "uint8"),
        ({"image": PICTURE / 255}, "uint8"),
        ({"image": PICTURE[:0]}, "uint8"),
        ({"heat": HEAT[0]}, "rows, cols"),
        ({"heat": HEAT[None]}, "rows, cols"),
        ({"heat": HEAT[:0]}, "rows, cols"),
        ({"heat": HEAT - 1}, "non-negative"),
        ({"heat": HEAT * np.nan}, "NaN"),
        ({"heat": HEAT + np.inf}, "infinite"),
        ({"heat": HEAT.astype(np.float64) * 1e300}, "infinite"),
        ({"heat": np.full((2, 2), "x")}, "rows, cols"),
        ({"opacity": -0.1}, "opacity"),
        ({"opacity": 1.1}, "opacity"),
        ({"opacity": np.nan}, "opacity"),
        ({"colormap": "nowhere"}, "colour map"),
        ({"blend": "mist"}, "blend"),
        ({"vmax": -1}, "vmax"),
        ({"vmax": np.nan}, "vmax"),
        ({"low": -1}, "low"),
        ({"low": 2, "high": 1}, "from 2 to 1"),
        ({"low": 2, "high": 1, "log": True}, "from 2 to 1"),
        ({"vmax": 1, "high": 1}, "one of them"),
    ],
)
def test_overlay_refuses(options, words):
    with pytest.raises(ValueError, match=words):
        overlay(**{"image": PICTURE, "heat": HEAT, **options})


# --- what stands in the figures --------------------------------------------------------------------------


def place_on(figure, pixels, axes, x, y) -> np.ndarray:
    """The rendered colour at a place given in the axes' own coordinates."""
    height = pixels.shape[0]
    across, up = axes.transData.transform((x, y)) * (pixels.shape[1] / figure.bbox.width)
    return pixels[int(height - up), int(across)].astype(int)


def test_overlay_figure_shows_each_patch_in_its_place():
    flat = np.full_like(PICTURE, 90)
    figure = figures.overlay_figure(flat, HEAT, query=(2, 4), opacity=0.5, caption=CAPTION)
    pixels, (axes,) = rendered(figure), labelled(figure, "picture")
    expected = overlay(flat, HEAT, opacity=0.5, blend="fade")
    for row in range(6):
        for col in range(9):
            color = expected[16 * row + 8, 16 * col + 8]
            assert np.abs(place_on(figure, pixels, axes, col + 0.5, row + 0.5) - color).max() <= 2
    box = axes.get_window_extent()
    assert box.width / box.height == pytest.approx(144 / 96, rel=1e-6)
    accent = np.rint(np.array(to_rgb(figures.ACCENT)) * 255)
    assert (np.abs(pixels - accent).max(2) <= 2).sum() > 100


@pytest.mark.parametrize("vmax", [None, 0.05])
def test_colour_bar_runs_over_the_data(vmax):
    figure = figures.overlay_figure(PICTURE, HEAT, vmax=vmax, label="rollout")
    (bar,) = labelled(figure, "colour bar")
    assert bar.get_ylim() == pytest.approx((0, vmax or float(HEAT.max())))
    assert bar.get_ylabel() == "rollout"
    ticks = bar.get_yticks()
    assert (ticks[0], ticks[-1]) == pytest.approx((0, vmax or float(HEAT.max())))
    top = rendered(figure)
    color = place_on(figure, top, bar, 0.5, ticks[-1] * 0.995)
    assert np.abs(color - np.array(matplotlib.colormaps["viridis"](1.0)[:3]) * 255).max() < 8


def test_smoothed_figures_say_so():
    assert (
        labelled(figures.overlay_figure(PICTURE, HEAT, smooth=True), "colour bar")[0].get_ylabel().endswith("smoothed")
    )


def test_query_is_outlined_around_its_patch_only():
    for figure in (
        figures.overlay_figure(PICTURE, HEAT, query=(2, 4)),
        figures.heads_figure(HEAT[None].repeat(3, 0), query=(2, 4)),
    ):
        for axes in labelled(figure, "picture"):
            boxes = [patch for patch in axes.patches if patch.get_label() == "query"]
            assert boxes[-1].get_edgecolor()[:3] == to_rgb(figures.ACCENT)
            for box in boxes:
                assert (
                    box.get_x() + box.get_width() / 2,
                    box.get_y() + box.get_height() / 2,
                ) == pytest.approx((4.5, 2.5))
                assert box.get_width() >= 1 <= box.get_height()


def test_heads_have_their_own_scale_unless_shared():
    maps = np.stack([HEAT, HEAT * 10])
    own = figures.heads_figure(maps)
    first, second = (axes.images[0].get_array() for axes in labelled(own, "picture"))
    np.testing.assert_array_equal(first, second)
    assert {"head 0", "head 1", f"max {HEAT.max():.3g}", f"max {10 * HEAT.max():.3g}"} <= set(words(own))
    shared = figures.heads_figure(maps, shared_scale=True, titles=["a", "b"])
    images = [axes.images[0].get_array() for axes in labelled(shared, "picture")]
    expected = np.array(matplotlib.colormaps["viridis"](maps / maps.max(), bytes=True))[..., :3]
    assert np.abs(np.stack(images).astype(int) - expected).max() <= 1
    assert labelled(shared, "colour bar")[0].get_xlim() == pytest.approx((0, 10 * HEAT.max()))
    assert {"a", "b"} <= set(words(shared))


def test_steps_lay_each_map_over_the_picture():
    flat = np.full((96, 96, 3), 200, np.uint8)
    maps = RNG.random((3, 6, 6))
    figure = figures.steps_figure(flat, maps)
    for axes, heat in zip(labelled(figure, "picture"), maps, strict=True):
        shown = axes.images[0].get_array()
        size = shown.shape[0] // 6
        expected = overlay(flat, heat, blend="fade")[8::16, 8::16]
        np.testing.assert_array_equal(shown[size // 2 :: size, size // 2 :: size], expected)
    assert "layer 2" in words(figure)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7, 12, 16, 24])
def test_small_multiples_do_not_overlap(count):
    figure = figures.heads_figure(RNG.random((count, 4, 4)))
    boxes = [axes.get_position() for axes in labelled(figure, "picture")]
    assert len(boxes) == count
    for index, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[index + 1 :])


def test_layers_and_heads_are_rows_and_columns():
    maps = RNG.random((3, 5, 4, 4))
    maps[1, 2] = 0
    for shared, top in ((False, maps.max((2, 3), keepdims=True)), (True, maps.max())):
        figure = figures.layers_heads_figure(maps, shared_scale=shared)
        (axes,) = labelled(figure, "picture")
        assert len(axes.images) == 1
        scaled = np.divide(maps, top, out=np.zeros_like(maps), where=np.broadcast_to(top, maps.shape) > 0)
        pixels = rendered(figure, dpi=200)
        for layer, head, row, col in [(0, 0, 0, 0), (2, 4, 3, 3), (0, 4, 1, 2), (1, 2, 2, 2), (2, 0, 0, 3)]:
            gap = 0.03 / 1.06  # of a tile on each side
            x, y = (place + gap + (at + 0.5) / 4 * (1 - 2 * gap) for place, at in ((head, col), (layer, row)))
            color = np.array(matplotlib.colormaps["viridis"](scaled[layer, head, row, col])[:3]) * 255
            assert np.abs(place_on(figure, pixels, axes, x, y) - color).max() <= 3
    assert axes.get_xlabel() == "head"
    assert axes.get_ylabel() == "layer"
    assert [text.get_text() for text in axes.get_xticklabels()] == list("01234")


@pytest.mark.parametrize("shape", [(12, 12, 14, 14), (24, 16, 37, 37)])
def test_the_largest_matrix_is_one_picture_no_finer_than_print(shape):
    """What it costs does not grow with its thumbnails: see tests/benchmarks/figures.py for the time."""
    figure, small = (figures.layers_heads_figure(RNG.random(s, dtype=np.float32)) for s in (shape, (2, 2, 3, 3)))
    ((axes,), (few,)) = (labelled(one, "picture") for one in (figure, small))
    assert len(axes.get_children()) == len(few.get_children())
    assert len(figure.get_children()) == len(small.get_children())
    (mosaic,) = axes.images
    inches = axes.get_position().size * figure.get_size_inches()
    assert (np.array(mosaic.get_array().shape[1::-1]) <= 1.5 * 200 * inches).all()
    assert figure_bytes(figure, dpi=100).startswith(b"\x89PNG")


def test_position_similarity_tiles():
    values = similarity()
    figure = figures.position_similarity_figure(values, selected=(1, 2))
    (axes,) = labelled(figure, "picture")
    (bar,) = labelled(figure, "colour bar")
    assert bar.get_ylim() == (-1, 1)
    mosaic = axes.images[0].get_array()
    height, width = mosaic.shape[0] // 4, mosaic.shape[1] // 6
    expected = matplotlib.colormaps[figures.SIMILARITY_CMAP]((values + 1) / 2, bytes=True)[..., :3].astype(int)
    for row in range(4):
        for col in range(6):
            tile = mosaic[row * height : (row + 1) * height, col * width : (col + 1) * width]
            gap = int((tile == 255).all(2).all(1).argmin())  # the white rows above the tile
            inner = tile[gap:-gap, gap:-gap]
            size = inner.shape[0] // 4
            assert inner.shape[:2] == (4 * size, 6 * size)
            assert np.abs(inner[size // 2 :: size, size // 2 :: size] - expected[row, col]).max() <= 1
    centre = {(box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2) for box in axes.patches}
    assert {tuple(np.round(place, 6)) for place in centre} == {(2.5, 1.5)}
    ranged = figures.position_similarity_figure(values, limits=None)
    assert labelled(ranged, "colour bar")[0].get_ylim() == pytest.approx((values.min(), values.max()))


def test_depth_has_a_dot_a_head_and_the_mean():
    values = RNG.random((4, 3)) * 50
    figure = figures.depth_figure(values, ylabel="entropy (nats)", selected=(1, 2))
    (axes,) = labelled(figure, "plot")
    dots, selected = axes.collections
    expected = [(layer, values[layer, head]) for layer in range(4) for head in range(3)]
    np.testing.assert_allclose(dots.get_offsets(), expected, rtol=1e-6)
    np.testing.assert_allclose(selected.get_offsets(), [(1, values[1, 2])], rtol=1e-6)
    assert tuple(selected.get_facecolor()[0][:3]) == to_rgb(figures.ACCENT)
    np.testing.assert_allclose(axes.lines[0].get_xydata(), np.c_[range(4), values.mean(1)], rtol=1e-6)
    assert axes.get_ylabel() == "entropy (nats)"
    assert f"layer 1, head 2: {values[1, 2]:.3g}" in [text.get_text() for text in axes.texts]
    figures.depth_figure(np.zeros((1, 1)), ylabel="nothing")


def test_filters_are_drawn_as_they_are():
    filters = RNG.random((9, 4, 4, 3))
    mosaic = labelled(figures.filters_figure(filters), "picture")[0].images[0].get_array()
    height, width = mosaic.shape[0] // 2, mosaic.shape[1] // 7
    for index, expected in enumerate(filters):
        top, left = index // 7 * height, index % 7 * width
        for row, col in ((0, 0), (3, 3), (1, 2)):
            y, x = (
                int(start + size * (0.5 + (at - 1.5) * 0.94 / 4))
                for start, size, at in ((top, height, row), (left, width, col))
            )
            assert np.abs(mosaic[y, x] - expected[row, col] * 255).max() <= 1


# --- all figures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ALL)
def test_every_text_is_inside_and_readable(name, theme):
    title = "A title that is long enough to need a second line on any page of this size, and then some"
    figure = ALL[name](title=title, caption=CAPTION * 3, theme=theme)
    pixels = rendered(figure)
    paper = np.rint(np.array(to_rgb(canvas.THEMES[theme].paper)) * 255)
    for edge in (pixels[:4], pixels[-4:], pixels[:, :4], pixels[:, -4:]):
        assert (edge == paper).all()
    shown = " ".join(words(figure))
    assert title in shown
    assert CAPTION in shown
    texts = [text for axes in figure.axes for text in [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]]
    for text in [*figure.texts, *texts]:
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert box.x0 >= 0 <= box.y0, text
            assert box.x1 <= figure.bbox.width, text
            assert box.y1 <= figure.bbox.height, text
    assert min(text.get_fontsize() for text in figure.texts) >= 10
    outside = [text.get_window_extent() for text in figure.texts]
    assert not any(one.overlaps(other) for at, one in enumerate(outside) for other in outside[at + 1 :])


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_theme_is_refused(name):
    with pytest.raises(ValueError, match="theme"):
        ALL[name](theme="pink")


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2500, 3000)])
def test_pictures_of_any_shape(shape):
    picture = np.zeros((*shape, 3), np.uint8)
    figure_bytes(figures.overlay_figure(picture, HEAT, caption=CAPTION), dpi=60)
    figure_bytes(figures.steps_figure(picture, HEAT[None]), dpi=60)


@pytest.mark.parametrize(
    "call",
    [
        lambda: figures.overlay_figure(PICTURE, HEAT, query=(6, 0)),
        lambda: figures.heads_figure(HEAT),
        lambda: figures.heads_figure(HEAT[None], titles=["a", "b"]),
        lambda: figures.heads_figure(-HEAT[None]),
        lambda: figures.layers_heads_figure(HEAT[None]),
        lambda: figures.position_similarity_figure(np.zeros((2, 3, 3, 2))),
        lambda: figures.position_similarity_figure(similarity(), selected=(4, 0)),
        lambda: figures.position_similarity_figure(similarity(), limits=(1, -1)),
        lambda: figures.depth_figure(np.full((2, 2), np.nan), ylabel=""),
        lambda: figures.depth_figure(np.zeros((2, 2)), ylabel="", selected=(2, 0)),
        lambda: figures.filters_figure(np.full((1, 2, 2, 3), 1.5)),
        lambda: figures.filters_figure(np.zeros((1, 2, 2, 4))),
    ],
)
def test_figures_refuse_what_does_not_fit(call):
    with pytest.raises(ValueError, match=r"expected|no patch|there are|grid"):
        call()


@pytest.mark.parametrize(("format", "magic"), [("png", b"\x89PNG\r\n\x1a\n"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
@pytest.mark.parametrize("name", FIXED)
def test_files_begin_rightly_and_come_out_the_same(format, magic, name):
    draw = FIXED[name]
    first, second = (figure_bytes(draw(title="Title", caption=CAPTION), format) for _ in range(2))
    assert first.startswith(magic)
    assert first == second


def test_png_size_follows_dpi():
    figure = figures.depth_figure(np.ones((2, 2)), ylabel="")
    for dpi in (50, 160):
        width, height = Image.open(io.BytesIO(figure_bytes(figure, dpi=dpi))).size
        assert (width, height) == pytest.approx(figure.get_size_inches() * dpi, abs=1)


@pytest.mark.parametrize("format", ["jpg", "exe", "", None])
def test_other_formats_are_refused(format):
    with pytest.raises(ValueError, match="png, svg, pdf"):
        figure_bytes(figures.depth_figure(np.ones((2, 2)), ylabel=""), format)


def test_settings_of_matplotlib_are_left_alone_and_threads_do_not_meet():
    before = dict(matplotlib.rcParams)
    values = np.arange(12.0).reshape(4, 3)
    expected = figure_bytes(figures.depth_figure(values, ylabel="x", caption=CAPTION))
    results = []

    def work():
        results.append(figure_bytes(figures.depth_figure(values, ylabel="x", caption=CAPTION)))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 6
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("module", ["figures", "pictures.load"])
def test_nothing_heavy_is_imported(module):
    # The package's own __init__ brings torch for everyone, so the module is loaded from its folder alone.
    code = f"""
import sys, types
package = types.ModuleType("vizvit")
package.__path__ = [{str(Path(figures.__file__).parents[1])!r}]
sys.modules["vizvit"] = package
import vizvit.{module}
assert not {{"matplotlib.pyplot", "torch", "streamlit", "timm"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
