"""The explorer as one file, opened from a disk in a browser without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Request, expect
from running import explorer_of
from shipped import CAT

import vizvit

pytestmark = pytest.mark.browser
BEFORE = Path(__file__).parents[1] / "data" / "before" / "explorer.html"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vizvit.save_explorer(CAT, tmp_path_factory.mktemp("kept") / "a cat & 猫.html", title="A cat")


@contextmanager
def opened_offline(open_page, file: Path, **options) -> Iterator[Page]:
    """The file opened offline; afterwards nothing may have been asked for elsewhere."""
    page, requests = open_page("about:blank", offline=True, viewport={"width": 1400, "height": 900}, **options), []

    def note(request: Request) -> None:
        requests.append(request.url)

    page.on("request", note)
    page.goto(file.as_uri())
    yield page
    page.remove_listener("request", note)
    assert requests
    assert all(url.startswith(("file:", "blob:", "data:")) for url in requests), requests


def test_it_says_what_it_is_and_answers_as_the_app_does(open_page, file):
    with opened_offline(open_page, file) as page:
        root = explorer_of(page)
        expect(page).to_have_title("A cat")
        expect(page.get_by_role("heading", name="A cat")).to_be_visible()
        expect(page.get_by_role("contentinfo")).to_contain_text("Made by VizViT")
        expect(root).to_have_attribute("data-layer", str(CAT.num_layers - 1))
        it_follows_the_systems_theme(page)
        whole_layers_are_surveyed_beside_the_page(page)
        a_patch_attends_as_the_engine_says(page)
        layers_and_heads_can_be_chosen(page)


def it_follows_the_systems_theme(page: Page) -> None:
    for scheme, paper in (("dark", "rgb(19, 19, 22)"), ("light", "rgb(255, 255, 255)")):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == paper


def whole_layers_are_surveyed_beside_the_page(page: Page) -> None:
    """The file's own rules allow the worker, and open folds show its numbers."""
    root = explorer_of(page)
    with page.expect_worker():
        root.locator(".fold").last.click()
    handle = root.element_handle()
    for layer in range(CAT.num_layers):
        page.wait_for_function("([root, layer]) => root.__vizvit.survey(layer)", arg=[handle, layer])


def a_patch_attends_as_the_engine_says(page: Page) -> None:
    root = explorer_of(page)
    hover(page, 3, 5, CAT.grid.rows, CAT.grid.cols)
    token = CAT.grid.token(3, 5)
    expect(root).to_have_attribute("data-query", str(token))
    for layer in range(CAT.num_layers):
        expected = CAT.attention(layer)[:, token]
        flat = root.evaluate("(root, [layer, token]) => Array.from(root.__vizvit.rows(layer, token))", [layer, token])
        found = np.array(flat, np.float32).reshape(expected.shape)
        assert (np.abs(found - expected) <= 2e-3 * expected.max(-1, keepdims=True)).all()


def layers_and_heads_can_be_chosen(page: Page) -> None:
    root = explorer_of(page)
    root.locator(".picture").focus()
    page.keyboard.press("[")
    expect(root).to_have_attribute("data-layer", str(CAT.num_layers - 2))
    root.locator(".tile").nth(2).click()
    expect(root).to_have_attribute("data-head", "1")


def hover(page: Page, row: int, col: int, rows: int, cols: int) -> None:
    cover = explorer_of(page).locator(".cover")
    box = cover.bounding_box()
    cover.hover(position={"x": (col + 0.5) * box["width"] / cols, "y": (row + 0.5) * box["height"] / rows})


def test_a_file_made_before_the_code_had_rooms_opens_and_answers(open_page):
    with opened_offline(open_page, BEFORE) as page:
        root = explorer_of(page)
        expect(root).to_have_attribute("data-layer", "5")
        hover(page, 3, 5, 10, 10)
        expect(root).to_have_attribute("data-query", str(1 + 3 * 10 + 5))
