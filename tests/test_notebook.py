"""What a notebook shows at the end of a cell, without a browser: the explorer's frame, tables, lines, figures."""

from __future__ import annotations

import html
import io
import re

import numpy as np
import pytest
from PIL import Image
from test_standalone import Elements, capture_within, payload

import vizvit
from vizvit.explorer import standalone
from vizvit.explorer.payload import read_header


@pytest.fixture(scope="module")
def cap(vit, picture) -> vizvit.Capture:
    return vizvit.capture(vit("vizvit-tiny"), picture)


def page_in(cell: str) -> str:
    """The page that a cell's frame holds."""
    [(frame, _)] = Elements(cell).all("iframe")
    assert set(frame["sandbox"].split()) == {"allow-scripts", "allow-downloads"}
    assert "src" not in frame
    return frame["srcdoc"]


def test_a_capture_at_the_end_of_a_cell_is_the_explorer(cap):
    assert page_in(cap._repr_html_()) == standalone.build(cap, caption=cap.vit.weights)


def test_options_are_the_explorers(cap):
    options = {"layer": -2, "head": 1, "colours": "inferno", "scale": "absolute", "smooth": True, "opacity": 0.3}
    shown = vizvit.show(cap, query=("patch", 2, 5), language="ja", height=500, title="<猫>", **options)
    session = read_header(payload(page_in(shown._repr_html_())))
    expected = options | {"layer": cap.num_layers - 2, "token": cap.grid.token(2, 5), "area": None}
    assert session["selection"].items() >= expected.items()
    assert session["title"] == "<猫>"
    assert 'lang="ja"' in shown.page
    assert "height: 500px" in shown._repr_html_()
    assert len(repr(shown)) < 80
    area = read_header(payload(vizvit.show(cap, query=(1, 2, 3, 4)).page))["selection"]["area"]
    assert area == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layer": 8}, "no layer 8: the capture has layers 0 to 7"),
        ({"head": 6}, "no head 6: each layer has heads 0 to 5"),
        ({"query": ("patch", 99, 0)}, "row 99"),
        ({"query": (0, 0, 99, 0)}, "no area"),
        ({"language": "fr"}, 'one of en, ja; received "fr"'),
        ({"height": "tall"}, "whole number of pixels; received 'tall'"),
        ({"colors": "viridis"}, 'no option "colors". Its options: view'),
        ({"colours": "jet"}, "colours is one of viridis, cividis, inferno; received 'jet'"),
        ({"smooth": 1}, "smooth is True or False; received 1"),
        ({"opacity": 2}, "from 0 to 1; received 2"),
        ({"layers": [8]}, 'are "all" or some of 0 to 7'),
        ({"layers": []}, 'are "all" or some of 0 to 7'),
        ({"layers": "some"}, "received 'some'"),
    ],
)
def test_what_there_is_not_is_said(cap, options, said):
    with pytest.raises(vizvit.CaptureError, match=re.escape(said)):
        vizvit.show(cap, **options)


def test_a_file_of_many_tokens_holds_what_fits_and_says_so(cap, monkeypatch):
    one = (2 * 2 + 1) * cap.queries(0).size * 4 / 3  # two bytes for queries and keys each, one for token vectors
    fixed = len(standalone.script()) + len(standalone.stylesheet()) + standalone.MARGIN + cap.view.nbytes * 4 / 3
    for room, held in (
        (8, range(8)),
        (7.9, [0, 1, 2, 3, 5, 6, 7]),
        (3.5, [0, 3, 7]),
        (2, [0, 7]),
        (1, [7]),
        (0.1, [7]),
    ):
        monkeypatch.setattr(standalone, "LIMIT", fixed + room * one + 1)
        page = standalone.build(cap, selection={"layer": 3, "rollout": True})
        assert len(page.encode()) < standalone.LIMIT or room < 1
        frame = payload(page)
        assert [section["layer"] for section in read_header(capture_within(frame))["layers"]] == list(held)
        selection, footer = read_header(frame)["selection"], Elements(page).all("footer")[0][1]
        assert selection["layer"] == min(held, key=lambda layer: (abs(layer - 3), -layer))
        assert selection["rollout"] == (len(held) == 8)
        assert (f"layers {', '.join(map(str, held))} of 8" in footer) == (len(held) < 8)
    page = standalone.build(cap, layers="all")
    assert len(read_header(capture_within(payload(page)))["layers"]) == 8
    page = standalone.build(cap, layers=[-1, 2, 2])
    assert [section["layer"] for section in read_header(capture_within(payload(page)))["layers"]] == [2, 7]


def test_thirteen_hundred_tokens_stay_below_twelve_megabytes(vit, picture):
    cap = vizvit.capture(vit("vit_small_patch16_224", image_size=592, depth=4), picture)
    assert cap.num_tokens == 37 * 37 + 1
    assert len(standalone.build(cap).encode()) < 12e6
    assert len(vizvit.show(cap)._repr_html_().encode()) < 12e6


def test_a_model_is_a_table(vit):
    model = vit("vizvit-tiny")
    card = Elements(model._repr_html_())
    rows = dict(zip((text for _, text in card.all("th")), (text for _, text in card.all("td")), strict=True))
    assert rows["architecture"] == f"{model.architecture}: 8 layers of 6 heads"
    assert rows["parameters"] == f"{sum(p.numel() for p in model.module.parameters()):,}"
    assert rows["grid"].startswith("16 × 16 patches of 4 × 4; prefix tokens: class")
    assert rows["labels"].startswith(f"{len(model.labels)}: ")
    assert all(step in html.unescape(rows["preprocessing"]) for step in model.preprocessing)
    named = vizvit.VitModel.wrap(model.module, name="<b>mine</b>", labels=("<i>",) * len(model.labels))
    assert "<b>mine" not in named._repr_html_() and "<i>" not in named._repr_html_()


def test_lines_are_one_line_without_arrays(vit, picture, cap):
    model, view = vit("vizvit-tiny"), cap.view
    heat = vizvit.rollout(cap)
    things = [
        (model, "vizvit-tiny: 8 layers, 6 heads, 16x16 patches"),
        (cap, "257 tokens"),
        (model.grid, "PatchGrid(16x16 patches of 4 pixels, class)"),
        (vizvit.faithfulness(model, view, heat, steps=4), "4 steps"),
        (vizvit.random_curves(model, view, steps=4, seeds=2), "2 seeds"),
        (vizvit.position_map(cap), "16x16 patches"),
        (vizvit.dissect(model, view), "block 7 of 8"),
    ]
    for thing, said in things:
        line = repr(thing)
        assert said in line and "\n" not in line and "array(" not in line and "tensor(" not in line
        assert len(line) < 200


def test_a_figure_of_a_map_by_one_call(cap):
    heat = vizvit.rollout(cap)
    figure = vizvit.figure(cap, heat, title="Rollout")
    texts = " ".join(text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text")))
    assert "Rollout" in texts and cap.vit.name in texts
    with Image.open(io.BytesIO(figure._repr_png_())) as png:
        assert min(png.size) > 300
    assert vizvit.figure(Image.fromarray(cap.view), heat, query=(1, 2)).axes
    with pytest.raises(ValueError, match="rows, cols"):
        vizvit.figure(cap, np.zeros(3))
