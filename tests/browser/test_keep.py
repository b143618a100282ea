"""Keeping the view in a real browser: the sheet shows what the page shows, files and texts arrive."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from running import explorer_of
from shipped import CAT

import vizvit
from vizvit.explorer import standalone
from vizvit.figures.blend import BLENDS
from vizvit.numbers import number
from vizvit.texts import words

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}"
START = "setStateValue() {} });"
HANDLE = """
globalThis.kept = {
  app: apps.get(document.getElementById("explorer")),
  keepParts, keepName, composeSheet, savePng, saveSvg, copyPython, copyLink, askFile, receiveAnswer, pinView, report,
};
"""


@pytest.fixture(scope="module")
def cap() -> vizvit.Capture:
    return CAT


@pytest.fixture(scope="module")
def file(cap: vizvit.Capture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = standalone.build(cap, title="a cat", caption="A <cat> & more", python=["import vizvit", "cap = …"])
    assert page.count(START) == 1
    path = tmp_path_factory.mktemp("kept") / "explorer.html"
    path.write_text(page.replace(START, START + HANDLE), encoding="utf-8")
    return path


@pytest.fixture
def page(share_page, file) -> Page:
    """In the light theme, and with the view that it was opened with."""
    page = share_page(file.as_uri(), offline=True)
    explorer_of(page)
    page.emulate_media(color_scheme="light")
    page.mouse.move(2, 2)
    page.evaluate(
        """() => {
            kept.first ??= kept.app.settledView();
            kept.app.openView(kept.first);
            kept.report(kept.app);
        }"""
    )
    return page


@pytest.fixture(params=["light", "dark"])
def drawn(page, request) -> Page:
    """For what is drawn, which differs with the theme."""
    page.emulate_media(color_scheme=request.param)
    return page


def pin(page: Page, cap: vizvit.Capture, row: int, col: int) -> None:
    """Keep a patch as the query and take the pointer away."""
    cover = explorer_of(page).locator(".cover")
    box, grid = cover.bounding_box(), cap.grid
    cover.click(position={"x": (col + 0.5) * box["width"] / grid.cols, "y": (row + 0.5) * box["height"] / grid.rows})
    page.mouse.move(2, 2)
    expect(explorer_of(page)).to_have_attribute("data-query", str(grid.token(row, col)))


def downloaded(page: Page, script: str) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.evaluate(script)
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_the_sheet_holds_what_the_page_shows(drawn, cap):
    pin(drawn, cap, 3, 5)
    parts = drawn.evaluate("() => kept.keepParts(kept.app)")
    (picture,) = parts["pictures"]
    assert picture["query"] == [[3, 5, 1, 1]]
    grid = cap.grid
    assert (picture["rows"], picture["cols"], picture["cover"]) == (grid.rows, grid.cols, {"width": 1, "height": 1})
    row = cap.attention(-1)[:, cap.grid.token(3, 5)].mean(0)[cap.grid.num_prefix_tokens :]
    assert picture["peak"] == list(divmod(int(row.argmax()), grid.cols))
    assert len(parts["tiles"]) == cap.num_heads + 1
    assert [tile["chosen"] for tile in parts["tiles"]].index(True) == 0
    assert parts["legend"]["high"] == f"{number(100 * row.max())} %"
    assert len(set(parts["legend"]["colours"])) == len(parts["legend"]["colours"])
    assert "A <cat> & more" in parts["caption"]
    assert all(parts[name].startswith("rgb(") for name in ("ink", "paper", "quiet", "accent"))
    dark = drawn.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    assert parts["paper"] == ("rgb(19, 19, 22)" if dark else "rgb(255, 255, 255)")


def test_an_area_is_outlined_as_one(page):
    page.evaluate("() => { kept.app.openView({ area: [1, 2, 3, 5], token: 11 }); }")
    page.wait_for_function("() => kept.keepParts(kept.app).pictures[0].query.join() === '1,2,3,4'")


def test_svg(drawn, cap):
    pin(drawn, cap, 3, 5)
    explorer_of(drawn).locator(".tile").nth(2).click()
    name, content = downloaded(drawn, "() => kept.saveSvg(kept.app)")
    assert name == f"vizvit-a-cat-layer{cap.num_layers - 1}-head1.svg"
    root = ElementTree.fromstring(content)
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert "A <cat> & more" in texts
    assert len(list(root.iter(f"{SVG}image"))) == 2 + cap.num_heads + 1
    assert all(image.get("href").startswith("data:image/png;base64,") for image in root.iter(f"{SVG}image"))


@pytest.mark.parametrize("blend", BLENDS)
def test_png_shows_the_map_over_the_picture_as_the_library_does(drawn, cap, blend):
    options = json.dumps({"opacity": 0.8, "grid_lines": False, "true_pixels": True, "blend": blend})
    drawn.evaluate(f"() => Object.assign(kept.app.options, {options})")
    pin(drawn, cap, 3, 5)
    name, content = downloaded(drawn, "() => kept.savePng(kept.app)")
    assert name.endswith(".png")
    sheet = Image.open(io.BytesIO(content)).convert("RGB")
    _, svg = downloaded(drawn, "() => kept.saveSvg(kept.app)")
    root = ElementTree.fromstring(svg)
    assert sheet.size == (2 * int(root.get("width")), 2 * int(root.get("height")))

    heat = vizvit.attention_map(cap, token=("patch", 3, 5))
    rows, cols = cap.grid.rows, cap.grid.cols
    side = cap.grid.patch_size
    full = vizvit.overlay(cap.view, heat, opacity=0.8, blend=blend)
    expected = full[side // 2 :: side, side // 2 :: side]  # the pixel below and right of each patch's middle
    corner = sheet_place(root)
    found = [[sheet.getpixel(middle(corner, row, col, cols)) for col in range(cols)] for row in range(rows)]
    assert np.abs(np.array(found, int) - expected).max() <= 3


def sheet_place(root: ElementTree.Element) -> tuple[float, float]:
    """Where the first picture begins, in CSS pixels."""
    pairs = ((outer, inner) for outer in root.findall(f"{SVG}g") for inner in outer.findall(f"{SVG}g"))
    outer, inner = next((outer, inner) for outer, inner in pairs if inner.find(f"{SVG}image") is not None)
    return tuple(np.add(translation(outer), translation(inner)))


def translation(group: ElementTree.Element) -> tuple[float, float]:
    x, y = group.get("transform").removeprefix("translate(").removesuffix(")").split()
    return float(x), float(y)


def middle(corner: tuple[float, float], row: int, col: int, cols: int) -> tuple[int, int]:
    """A pixel below and right of a patch's middle, away from outlines, on a sheet twice as large."""
    side = 540 / cols
    return round(2 * (corner[0] + (col + 0.6) * side)), round(2 * (corner[1] + (row + 0.6) * side))


@pytest.mark.parametrize("clipboard", [True, False])
def test_python_and_link_are_copied(page, cap, clipboard):
    """Also where there is no clipboard interface, as without https."""
    last = cap.num_layers - 1
    page.evaluate(
        """([clipboard, address]) => {
            globalThis.copied = [];
            const interface = clipboard ? { writeText: async (text) => void copied.push(text) } : undefined;
            Object.defineProperty(navigator, "clipboard", { value: interface, configurable: true });
            document.execCommand = () => !!copied.push(document.activeElement.value);
            history.replaceState(null, "", address); // as Python keeps it; else the link waits for that
        }""",
        [clipboard, f"?query=3,5&layer={last}"],
    )
    pin(page, cap, 3, 5)
    page.evaluate("() => kept.copyPython(kept.app)")
    assert notice(page) == words("explorer")["copied_python"]
    page.evaluate("() => kept.copyLink(kept.app)")
    assert notice(page) == words("explorer")["copied_link"]
    python, link = page.evaluate("() => copied")
    assert f'heat = vizvit.attention_map(cap, {last}, token=("patch", 3, 5))' in python
    assert python.endswith(f'save("vizvit-a-cat-layer{last}.png")\n')
    assert link == page.url
    assert page.evaluate("() => document.querySelectorAll('textarea').length") == 0
    page.evaluate("() => { delete navigator.clipboard; delete document.execCommand; }")


def test_what_python_made_is_asked_for_and_arrives_once(page):
    view = page.evaluate("() => kept.app.settledView()")
    page.evaluate(
        """() => {
            globalThis.sent = [];
            kept.pinView(kept.app);
            Object.assign(kept.app, { send: (name, value) => sent.push([name, value]), asked: 0 });
            kept.askFile(kept.app, "npz");
        }"""
    )
    request = {"number": 1, "what": "npz", "view": view, "pins": [view], "other": None}
    assert page.evaluate("() => sent") == [["ask", request]]
    assert notice(page) == words("explorer")["making"]
    answer = json.dumps({"number": 1, "what": "npz", "file": "a.npz", "type": "application/zip"})
    take = f"() => kept.receiveAnswer(kept.app, {answer}, Uint8Array.of(1, 2, 3))"
    assert downloaded(page, take) == ("a.npz", b"\x01\x02\x03")
    assert notice(page) == ""
    again = []
    page.on("download", lambda download: again.append(download))
    page.evaluate(take)
    after, _ = downloaded(page, "() => kept.saveSvg(kept.app)")
    assert [download.suggested_filename for download in again] == [after]
    page.locator(".pin-remove").click()


def test_what_could_not_be_made_is_said(page):
    page.evaluate("() => { kept.app.asked = 0; kept.askFile(kept.app, 'html'); }")
    page.evaluate("() => kept.receiveAnswer(kept.app, { number: 0, error: 'An earlier one.' })")
    assert notice(page) == words("explorer")["making"]
    page.evaluate("() => kept.receiveAnswer(kept.app, { number: 1, error: 'No room.' })")
    assert notice(page) == "No room."


def notice(page: Page) -> str:
    return page.evaluate("() => kept.app.dom.notice.textContent")


def test_names_of_files(page):
    for name, choice, expected in (
        ("a cat/猫.jpg", {"layer": 4, "head": 1}, "vizvit-a-cat-猫.jpg-layer4-head1"),
        ("../../x", {"layer": 0, "head": None}, "vizvit-x-layer0"),
        ("", {"layer": 0, "head": 0, "rollout": True}, "vizvit-view-rollout"),
        (None, {"layer": 0, "head": 0}, "vizvit-view-layer0-head0"),
    ):
        made = page.evaluate("([name, choice]) => kept.keepName({ session: { name }, choice })", [name, choice])
        assert made == expected
