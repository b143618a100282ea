"""The handout: one page on which every view, number and caption stands where it can be read."""

from __future__ import annotations

import logging
import re
import warnings
import zlib

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from vizvit.figures import figure_bytes, overlay, overlay_figure
from vizvit.figures.handout import CAPTION, Panel, handout
from vizvit.figures.page import ACCENT
from vizvit.figures.sheet import A4, MARGIN

RNG = np.random.default_rng(0)
VIEW = RNG.integers(0, 256, (96, 144, 3), dtype=np.uint8)
ENGLISH = "Layer 3, head 2: from the patch at row 1, column 2. Scaled to its own maximum. vizvit-tiny, shipped weights."
JAPANESE = "層 3、ヘッド 2：行 1、列 2 のパッチから。マップの最大値で表示。vizvit-tiny、同梱の重み。"


def panels(count: int, caption: str = ENGLISH, **options) -> list[Panel]:
    return [Panel(RNG.random((6, 9)) * 0.03, f"{caption} {i}", outlined=(1, 2, 1, 2), **options) for i in range(count)]


def page(count: int = 2, caption: str = ENGLISH, **options):
    return handout(VIEW, panels(count, caption), title="Attention", lines=["The picture.", "The model."], **options)


def labelled(figure, label: str) -> list:
    return [axes for axes in figure.axes if axes.get_label() == label]


def boxes(figure) -> list:
    figure.dpi = 288  # coarser screens round the width of each letter
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    texts = [text.get_window_extent(renderer) for text in figure.texts]
    return texts + [axes.get_window_extent(renderer) for axes in figure.axes]


@pytest.mark.parametrize("count", [1, 4, 5, 6])
@pytest.mark.parametrize("shape", [(96, 144), (300, 60), (60, 400)])
def test_all_stands_on_one_page_and_apart(count, shape):
    caption = ENGLISH * (3 if count == 5 else 1)
    heats = RNG.random((count, 4, 4))
    figure = handout(
        RNG.integers(0, 256, (*shape, 3), dtype=np.uint8),
        [Panel(heat, f"{caption} {i}") for i, heat in enumerate(heats)],
        title="A title that takes more than one line of the page, because it says more than titles should, by far",
        lines=["What the model sees", "Which model it is"],
    )
    assert tuple(figure.get_size_inches()) == A4
    assert len(labelled(figure, "picture")) == 1 + count
    assert len(labelled(figure, "notes")) == 1
    found = boxes(figure)
    margin, size = MARGIN * figure.dpi - 3, np.array(A4) * figure.dpi
    for box in found:
        assert box.x0 >= margin and box.y0 >= margin
        assert box.x1 <= size[0] - margin and box.y1 <= size[1] - margin
    for i, one in enumerate(found):
        for other in found[:i]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across <= 3 or down <= 6, "two things on one place"
    assert labelled(figure, "notes")[0].get_window_extent().height / figure.dpi > 0.6


def test_every_text_can_be_read_in_print():
    figure = page(6)
    assert min(text.get_fontsize() for text in figure.texts) >= CAPTION >= 8


def test_panels_are_overlays_with_their_numbers():
    heat = np.linspace(0.001, 0.05, 54).reshape(6, 9)
    kept = Panel(heat, ENGLISH, (1, 2, 3, 4), low=0.002, high=0.02, log=True, colormap="inferno", opacity=0.7)
    figure = handout(VIEW, [kept], title="Attention")
    _, picture = labelled(figure, "picture")
    shown = picture.images[0].get_array()
    expected = overlay(VIEW, heat, low=0.002, high=0.02, log=True, colormap="inferno", opacity=0.7, blend="fade")
    step = shown.shape[0] // 96
    np.testing.assert_array_equal(shown[step // 2 :: step, step // 2 :: step], expected)
    words = [text.get_text() for text in figure.texts]
    assert {"0.002", "0.02", "attention", "Attention", "Notes"} <= set(words)
    assert " ".join(words).count("row 1, column 2") == 1
    edge, line = [p for p in picture.patches if p.get_label() == "query"]
    assert to_rgb(line.get_edgecolor()) == to_rgb(ACCENT) and edge.get_linewidth() > line.get_linewidth()
    aside = (
        line.get_linewidth() / 2 * figure.dpi / 72 / (picture.get_window_extent().width / 9)
    )  # half the line, in patches
    assert line.get_bbox().extents == pytest.approx([2 - aside, 1 - aside, 5 + aside, 4 + aside], abs=1e-6)


def test_as_pdf_it_is_one_page_and_always_the_same():
    first, second = (figure_bytes(handout(VIEW, [Panel(np.eye(3), ENGLISH)], title="Same"), "pdf") for _ in range(2))
    assert first == second
    assert len(re.findall(rb"/Type /Page\b(?!s)", first)) == 1
    width, height = (72 * side for side in A4)
    assert b"/MediaBox [ 0 0 %.2f %.2f ]" % (width, height) in first


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_japanese_has_all_its_letters(format, caplog):
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING, "matplotlib"):
        warnings.simplefilter("error")
        data = figure_bytes(page(3, JAPANESE, notes_title="メモ", language="ja"), format)
    assert not caplog.records
    if format == "pdf":
        assert b"IPAexGothic" in data or any(b"IPAexGothic" in part for part in unpacked(data))


def unpacked(pdf: bytes) -> list[bytes]:
    parts = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    return [zlib.decompressobj().decompress(part) for part in parts if part[:1] == b"x"]


def test_english_would_lack_them():
    """The test above would see a missing letter."""
    with pytest.warns(UserWarning, match="missing"):
        figure_bytes(page(1, JAPANESE))


def test_other_figures_stay_as_they_are():
    def plain() -> bytes:
        return figure_bytes(overlay_figure(VIEW, np.eye(3), title="Title", caption=ENGLISH))

    before = plain()
    figure_bytes(page(1, JAPANESE, language="ja"))
    assert plain() == before


def test_lines_break_where_japanese_may():
    figure = page(1, JAPANESE * 4, language="ja")
    lines = [text.get_text() for text in figure.texts]
    assert not [line for line in lines if line[:1] in "、。：）」ーっッャ"]
    assert "".join(lines).replace(" ", "").count(JAPANESE.replace(" ", "")) == 4


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: handout(VIEW, [], title=""), "1 to 6"),
        (lambda: page(7), "1 to 6"),
        (lambda: handout(VIEW, [Panel(np.eye(2), ""), Panel(np.eye(3), "")], title=""), "unequal"),
        (lambda: handout(VIEW, [Panel(-np.eye(2), "")], title=""), "non-negative"),
        (lambda: handout(VIEW[..., 0], panels(1), title=""), "uint8"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
