"""The app as a person meets it, in a real browser."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from local_data import local_data
from PIL import Image
from playwright.sync_api import Page, expect
from running import explorer_of, settled
from shipped import CAT, SHIPPED
from skimage import data

import vizvit
from vizvit.grid import PatchGrid
from vizvit.model.snapshots import snapshots
from vizvit.texts import words

pytestmark = pytest.mark.browser


def jpeg(array: np.ndarray) -> dict:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=92)
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def upload(page: Page, file: dict) -> None:
    page.locator("input[type=file]").first.set_input_files(file)
    expect(
        page.get_by_test_id("stSidebar").get_by_role("img", name=re.compile(re.escape(file["name"])))
    ).to_be_visible()
    settled(page)


def shown_view(page: Page) -> np.ndarray:
    """The pixels of the explorer's picture as it holds them, uint8 [H, W, 3]."""
    flat, height, width = (
        explorer_of(page)
        .locator("canvas.photo")
        .evaluate(
            """photo => {
                const { width, height } = photo;
                return [Array.from(photo.getContext("2d").getImageData(0, 0, width, height).data), height, width];
            }"""
        )
    )
    return np.array(flat, np.uint8).reshape(height, width, 4)[..., :3]


def assert_rows(page: Page, cap: vizvit.Capture, layer: int, token: int) -> None:
    """The browser computes the rows of all heads [head, key] as the library does."""
    flat = explorer_of(page).evaluate(
        "(root, [layer, token]) => Array.from(root.__vizvit.rows(layer, token))", [layer, token]
    )
    expected = cap.attention(layer)[:, token]
    np.testing.assert_allclose(np.array(flat, np.float32).reshape(expected.shape), expected, atol=2e-3 * expected.max())


def picture_of(page: Page):
    return explorer_of(page).locator(".cover")


def patch_position(page: Page, row: int, col: int, grid: PatchGrid = SHIPPED.grid) -> dict:
    box = picture_of(page).bounding_box()
    return {"x": (col + 0.5) * box["width"] / grid.cols, "y": (row + 0.5) * box["height"] / grid.rows}


def go_to(page: Page, title: str) -> None:
    page.get_by_role("link", name=title, exact=True).click()
    settled(page)


def choose_dot(page: Page, layer: str) -> None:
    """Of the chart on the page of heads, a dot whose label begins like this."""
    dots = page.locator(f"[data-testid=stVegaLiteChart] [aria-label^='{layer};'][aria-roledescription=circle]")
    dots.last.click(force=True)  # dots of like heads lie over each other


def assert_nothing_sticks_out(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_the_first_start_is_explored_and_a_link_leads_back_to_it(app, open_page):
    page = open_page(app)
    root = explorer_of(page)
    assert root.get_attribute("data-query") == "0"
    last = CAT.num_layers - 1
    assert int(root.get_attribute("data-layer")) == last
    assert_rows(page, CAT, last, 0)
    np.testing.assert_array_equal(shown_view(page), CAT.view)

    picture_of(page).hover(position=patch_position(page, 3, 5))
    expect(root).to_have_attribute("data-query", str(SHIPPED.grid.token(3, 5)))
    token = str(SHIPPED.grid.token(7, 6))
    picture_of(page).click(position=patch_position(page, 7, 6))
    page.mouse.move(5, 5)
    expect(root).to_have_attribute("data-query", token)
    expect(page).to_have_url(re.compile(r"query=7%2C6|query=7,6"))

    page.keyboard.press("[")
    expect(root).to_have_attribute("data-layer", str(last - 1))
    root.get_by_role("radio", name="head 1").click()
    expect(root).to_have_attribute("data-head", "1")
    expect(page).to_have_url(re.compile(f"layer={last - 1}.*head=1|head=1.*layer={last - 1}"))
    assert_rows(page, CAT, last - 1, int(token))
    settled(page)

    phone = open_page(page.url, viewport={"width": 390, "height": 844})
    root = explorer_of(phone)
    expect(root).to_have_attribute("data-query", token)
    expect(root).to_have_attribute("data-layer", str(last - 1))
    expect(root).to_have_attribute("data-head", "1")
    assert_nothing_sticks_out(phone)


def test_photographs_as_people_take_them(app, share_page):
    photos = sorted(local_data("photos").glob("*.jpg"))[:3]
    page = share_page(app)
    explorer_of(page)
    for photo in photos:
        upload(page, {"name": photo.name, "mimeType": "image/jpeg", "buffer": photo.read_bytes()})
        np.testing.assert_array_equal(shown_view(page), SHIPPED.view(vizvit.load_image(photo)))
        picture_of(page).hover(position=patch_position(page, 3, 5))
        expect(explorer_of(page)).to_have_attribute("data-query", str(SHIPPED.grid.token(3, 5)))
        page.mouse.move(5, 5)


def test_two_sessions_keep_their_own_pictures_and_a_broken_one_loses_none(app, open_page, share_page):
    files = {"one": jpeg(data.coffee()), "two": jpeg(data.rocket())}
    pages = {"one": share_page(app), "two": open_page(app, color_scheme="dark")}
    explorer_of(pages["two"])
    assert_nothing_sticks_out(pages["two"])
    for name, file in files.items():
        upload(pages[name], file)
        np.testing.assert_array_equal(shown_view(pages[name]), SHIPPED.view(vizvit.load_image(file["buffer"])))
    for name, file in files.items():
        go_to(pages[name], "Rollout")
        expect(pages[name].get_by_role("heading", name="Attention rollout")).to_be_visible()
        go_to(pages[name], "Explore")
        np.testing.assert_array_equal(shown_view(pages[name]), SHIPPED.view(vizvit.load_image(file["buffer"])))

    page = pages["one"]
    page.locator("input[type=file]").first.set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nnot really"}
    )
    expect(page.get_by_test_id("stSidebar").get_by_role("alert")).to_contain_text("broken.png")
    settled(page)
    explorer_of(page)


def test_a_link_with_nonsense_shows_what_it_can_and_random_weights_need_no_network(app, open_page):
    nonsense = "image=dodo&weights=heavy&layer=²&head=99&query=99,99&training=x"
    page = open_page(f"{app}/?{nonsense}&model=deit_tiny_distilled_patch16_224&height=64")
    explorer_of(page)
    sidebar = page.get_by_test_id("stSidebar")
    alert = sidebar.get_by_role("alert")
    expect(alert.filter(has_text='no sample picture "dodo"')).to_be_visible()
    expect(alert.filter(has_text="vizvit-tiny")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.get_by_text("Model options").click()
    page.get_by_role("button", name="random").or_(page.get_by_role("radio", name="random")).first.click()
    expect(alert).to_have_count(0)
    settled(page)
    root = explorer_of(page)
    expect(root.get_by_role("button", name="distillation").or_(root.get_by_text("distillation")).first).to_be_visible()
    expect(root.get_by_text("untrained").first).to_be_visible()


def test_a_tile_of_the_position_similarities_is_enlarged_and_a_dots_head_opens_in_the_explorer(app, open_page):
    page = open_page(f"{app}/positions?height=32")
    expect(page.get_by_role("heading", name=words("positions")["title"], exact=True, level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Row 4, column 4")).to_be_visible()  # of 8 × 8 patches
    tiles = page.locator(".picker .image")
    box = tiles.bounding_box()
    tiles.click(position={"x": box["width"] * 2.5 / 8, "y": box["height"] * 1.5 / 8})
    expect(page.get_by_role("heading", name="Row 1, column 2")).to_be_visible()
    page.locator(".picker").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Row 1, column 3")).to_be_visible()
    settled(page)

    go_to(page, "Heads")
    expect(page.get_by_role("heading", name=words("heads")["title"], exact=True, level=1)).to_be_visible()
    heading = page.get_by_role("heading", name=re.compile("Layer .*, head"))
    expect(heading).to_have_text(f"Layer {SHIPPED.num_layers - 1}, head 0")
    choose_dot(page, "layer: 2")
    expect(heading).to_have_text(re.compile("Layer 2, head"))
    head = re.search(r"head (\d+)", heading.text_content())[1]
    page.get_by_role("button", name="Open this head").click()
    root = explorer_of(page)
    expect(root).to_have_attribute("data-layer", "2")
    expect(root).to_have_attribute("data-head", head)


def test_the_training_slider_goes_back_to_noise(app, open_page):
    moments = snapshots("vizvit-tiny")
    page = open_page(app)
    explorer_of(page)
    sidebar = page.get_by_test_id("stSidebar")
    slider = sidebar.get_by_role("slider", name="Training")
    slider.focus()
    for key, step in (("Home", 0), ("ArrowRight", 1)):
        page.keyboard.press(key)
        expect(slider).to_have_value(str(step))
        expect(sidebar.get_by_text(f"{100 * moments[step].top1:.1f} % of held-out pictures")).to_be_visible()
        settled(page)
        assert_rows(page, vizvit.capture(vizvit.load_model(weights=moments[step].weights), data.chelsea()), 2, 0)
        expect(page).to_have_url(re.compile(f"training={step}"))
        if step == 0:
            expect(sidebar.get_by_text("untrained weights").first).to_be_visible()
