"""The explorer as one file, opened from a disk in a browser without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from running import explorer_of
from skimage import data

import vizvit

pytestmark = pytest.mark.browser
BEFORE = Path(__file__).parents[1] / "data" / "before" / "explorer.html"


@pytest.fixture(scope="module")
def cap() -> vizvit.Capture:
    return vizvit.capture(vizvit.load_model("vizvit-tiny"), data.chelsea())


@pytest.fixture(scope="module")
def file(cap: vizvit.Capture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vizvit.save_explorer(cap, tmp_path_factory.mktemp("kept") / "a cat & 猫.html", title="A cat")


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    with opened_offline(browser, file) as page:
        yield page


@contextmanager
def opened_offline(browser: Browser, file: Path, scheme: str = "light") -> Iterator[Page]:
    """The file opened offline; afterwards the console must have been silent and nothing asked for elsewhere."""
    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 1400, "height": 900})
    complaints, requests = [], []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert not complaints, complaints
    assert requests
    assert all(url.startswith(("file:", "blob:", "data:")) for url in requests), requests


def hover(page: Page, cap: vizvit.Capture, row: int, col: int) -> None:
    cover = explorer_of(page).locator(".cover")
    box = cover.bounding_box()
    cover.hover(
        position={"x": (col + 0.5) * box["width"] / cap.grid.cols, "y": (row + 0.5) * box["height"] / cap.grid.rows}
    )


def test_it_answers_as_the_app_does(page, cap):
    root = explorer_of(page)
    last = cap.num_layers - 1
    expect(root).to_have_attribute("data-layer", str(last))
    hover(page, cap, 3, 5)
    token = cap.grid.token(3, 5)
    expect(root).to_have_attribute("data-query", str(token))
    for layer in range(cap.num_layers):
        expected = cap.attention(layer)[:, token]
        flat = root.evaluate("(root, [layer, token]) => Array.from(root.__vizvit.rows(layer, token))", [layer, token])
        found = np.array(flat, np.float32).reshape(expected.shape)
        assert (np.abs(found - expected) <= 2e-3 * expected.max(-1, keepdims=True)).all()


def test_layers_and_heads_can_be_chosen(page, cap):
    root = explorer_of(page)
    root.locator(".picture").focus()
    page.keyboard.press("[")
    expect(root).to_have_attribute("data-layer", str(cap.num_layers - 2))
    root.locator(".tile").nth(2).click()
    expect(root).to_have_attribute("data-head", "1")


def test_whole_layers_are_surveyed_beside_the_page(page, cap):
    """The file's own rules allow the worker, and open folds show its numbers."""
    root = explorer_of(page)
    with page.expect_worker():
        root.locator(".fold").last.click()
    handle = root.element_handle()
    for layer in range(cap.num_layers):
        page.wait_for_function("([root, layer]) => root.__vizvit.survey(layer)", arg=[handle, layer])


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(19, 19, 22)")])
def test_it_follows_the_systems_theme_and_says_what_it_is(browser, file, scheme, paper):
    with opened_offline(browser, file, scheme) as page:
        explorer_of(page)
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == paper
        says_what_it_is(page)


def says_what_it_is(page: Page) -> None:
    expect(page).to_have_title("A cat")
    expect(page.get_by_role("heading", name="A cat")).to_be_visible()
    expect(page.get_by_role("contentinfo")).to_contain_text("Made by VizViT")


def test_a_file_made_before_the_code_had_rooms_opens_and_answers(browser):
    with opened_offline(browser, BEFORE) as page:
        root = explorer_of(page)
        expect(root).to_have_attribute("data-layer", "5")
        box = root.locator(".cover").bounding_box()
        root.locator(".cover").hover(position={"x": 5.5 * box["width"] / 10, "y": 3.5 * box["height"] / 10})
        expect(root).to_have_attribute("data-query", str(1 + 3 * 10 + 5))
