"""The app as a person meets it, in a real browser."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import torch
from hub_server import HubServer
from local_data import local_data
from PIL import Image
from playwright.sync_api import Page, expect
from running import PLACES, explorer_of, running_app, settled
from safetensors.torch import save
from shipped import CAT, SHIPPED
from skimage import data

import vizvit
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


def browser_rows(page: Page, layer: int, token: int) -> np.ndarray:
    """[head, key] as the browser computed them."""
    flat = explorer_of(page).evaluate(
        "(root, [layer, token]) => Array.from(root.__vizvit.rows(layer, token))", [layer, token]
    )
    return np.array(flat, np.float32)


def picture_of(page: Page):
    return explorer_of(page).locator(".cover")


def patch_position(page: Page, row: int, col: int) -> dict:
    box, grid = picture_of(page).bounding_box(), SHIPPED.grid
    return {"x": (col + 0.5) * box["width"] / grid.cols, "y": (row + 0.5) * box["height"] / grid.rows}


def test_first_start_shows_the_sample_with_the_shipped_model(app, open_page):
    page = open_page(app)
    root = explorer_of(page)
    assert root.get_attribute("data-query") == "0"
    vit = SHIPPED
    cap = vizvit.capture(vit, data.chelsea())
    layer = cap.num_layers - 1
    assert int(root.get_attribute("data-layer")) == layer
    expected = cap.attention(layer)[:, 0]
    np.testing.assert_allclose(
        browser_rows(page, layer, 0).reshape(expected.shape), expected, atol=2e-3 * expected.max()
    )
    np.testing.assert_array_equal(shown_view(page), cap.view)


def test_hover_previews_click_pins_and_the_address_holds_it(app, open_page):
    page = open_page(app)
    root = explorer_of(page)
    picture_of(page).hover(position=patch_position(page, 3, 5))
    expect(root).to_have_attribute("data-query", str(SHIPPED.grid.token(3, 5)))
    picture_of(page).click(position=patch_position(page, 7, 6))
    page.mouse.move(5, 5)
    expect(root).to_have_attribute("data-query", str(SHIPPED.grid.token(7, 6)))
    expect(page).to_have_url(re.compile(r"query=7%2C6|query=7,6"))
    settled(page)

    again = open_page(page.url)
    expect(explorer_of(again)).to_have_attribute("data-query", str(SHIPPED.grid.token(7, 6)))


def test_layer_and_head_change_in_the_browser(app, open_page):
    page = open_page(app)
    root = explorer_of(page)
    last = int(root.get_attribute("data-layer"))
    picture_of(page).click(position=patch_position(page, 2, 2))
    page.keyboard.press("[")
    expect(root).to_have_attribute("data-layer", str(last - 1))
    root.get_by_role("radio", name="head 1").click()
    expect(root).to_have_attribute("data-head", "1")
    expect(page).to_have_url(re.compile(f"layer={last - 1}.*head=1|head=1.*layer={last - 1}"))
    token = SHIPPED.grid.token(2, 2)
    cap = CAT
    expected = cap.attention(last - 1)[:, token]
    shown = browser_rows(page, last - 1, token).reshape(expected.shape)
    np.testing.assert_allclose(shown, expected, atol=2e-3 * expected.max())


def test_photographs_as_people_take_them(app, open_page):
    photos = sorted(local_data("photos").glob("*.jpg"))[:3]
    page = open_page(app)
    explorer_of(page)
    vit = SHIPPED
    for photo in photos:
        upload(page, {"name": photo.name, "mimeType": "image/jpeg", "buffer": photo.read_bytes()})
        np.testing.assert_array_equal(shown_view(page), vit.view(vizvit.load_image(photo)))
        picture_of(page).hover(position=patch_position(page, 3, 5))
        expect(explorer_of(page)).to_have_attribute("data-query", str(SHIPPED.grid.token(3, 5)))
        page.mouse.move(5, 5)


def test_upload_shows_that_picture_and_a_broken_one_says_so_in_place_and_loses_nothing(app, open_page):
    page = open_page(app)
    explorer_of(page)
    file = jpeg(data.coffee())
    upload(page, file)
    expected = SHIPPED.view(vizvit.load_image(file["buffer"]))
    np.testing.assert_array_equal(shown_view(page), expected)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nnot really"}
    )
    expect(page.get_by_test_id("stSidebar").get_by_role("alert")).to_contain_text("broken.png")
    settled(page)
    explorer_of(page)


def test_two_sessions_keep_their_own_pictures(app, open_page):
    pictures = {"one": data.astronaut(), "two": data.rocket()}
    pages = {name: open_page(app) for name in pictures}
    for name, picture in pictures.items():
        upload(pages[name], jpeg(picture))
    vit = SHIPPED
    for name, picture in pictures.items():
        pages[name].get_by_role("link", name="Rollout").click()
        settled(pages[name])
        expect(pages[name].get_by_role("heading", name="Attention rollout")).to_be_visible()
        settled(pages[name])
        pages[name].get_by_role("link", name="Explore").click()
        settled(pages[name])
        expected = vit.view(vizvit.load_image(jpeg(picture)["buffer"]))
        np.testing.assert_array_equal(shown_view(pages[name]), expected)


def test_another_model_without_a_network_is_explained_and_random_weights_go_on(app, open_page):
    page = open_page(f"{app}/?model=deit_tiny_distilled_patch16_224")
    alert = page.get_by_test_id("stSidebar").get_by_role("alert")
    expect(alert).to_contain_text("vizvit-tiny")
    explorer_of(page)
    page.get_by_text("Model options").click()
    page.get_by_role("button", name="random").or_(page.get_by_role("radio", name="random")).first.click()
    expect(alert).to_have_count(0)
    settled(page)
    root = explorer_of(page)
    expect(root.get_by_role("button", name="distillation").or_(root.get_by_text("distillation")).first).to_be_visible()
    expect(root.get_by_text("untrained").first).to_be_visible()


def test_a_model_comes_from_the_hub(browser, open_page, tmp_path):
    torch.manual_seed(0)
    module = vizvit.load_model("test_vit.r160_in1k", weights="random").module
    files = {"timm/test_vit.r160_in1k": {"model.safetensors": save(module.state_dict())}}
    with HubServer(files) as hub, running_app(tmp_path / "log", **hub.environment(tmp_path / "home")) as address:
        page = open_page(f"{address}/?model=test_vit.r160_in1k")
        explorer_of(page)
        sidebar = page.get_by_test_id("stSidebar")
        expect(sidebar.get_by_role("alert")).to_have_count(0)
        expect(sidebar.get_by_text("untrained weights")).to_have_count(0)
        expect(sidebar.get_by_text("10×10 patches of 16 px")).to_be_visible()
        page.close()  # before its server ends, which it would complain of


def test_pages_show_their_pictures(app, open_page):
    page = open_page(app)
    explorer_of(page)
    for place in PLACES:
        if place in ("explore", "walkthrough", "studies"):
            continue
        page.get_by_role("link", name=words("app")[place], exact=True).click()
        settled(page)
        expect(page.get_by_role("heading", name=words(place)["title"], exact=True, level=1)).to_be_visible()
        settled(page)
        expect(page.get_by_test_id("stMain").get_by_test_id("stImage").first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_test_id("stMain").get_by_text("vizvit-tiny").first).to_be_visible()


def test_rollout_controls_and_downloads(app, open_page):
    page = open_page(app)
    explorer_of(page)
    page.get_by_role("link", name="Rollout").click()
    settled(page)
    main = page.get_by_test_id("stMain")
    picture = main.get_by_role("img", name=re.compile("Attention rollout"))
    expect(page.locator(".vizvit")).to_have_count(0)  # whose heads are fused by "max" too
    before = picture.get_attribute("src")
    main.get_by_role("radio", name="max").or_(main.get_by_role("button", name="max")).first.click()
    expect(main.get_by_text("max over heads").first).to_be_visible()
    expect(picture).not_to_have_attribute("src", before)
    main.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Numbers, NPZ").click()
    with np.load(download.value.path()) as numbers:
        cap = CAT
        np.testing.assert_allclose(numbers["rollout"], vizvit.rollout(cap, head_fusion="max"), rtol=1e-4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Figure, PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")


def test_a_tile_of_the_position_similarities_is_enlarged(app, open_page):
    page = open_page(app)
    explorer_of(page)
    page.get_by_role("link", name="Positions").click()
    settled(page)
    grid = SHIPPED.grid
    expect(page.get_by_role("heading", name=f"Row {grid.rows // 2}, column {grid.cols // 2}")).to_be_visible()
    tiles = page.locator(".picker .image")
    box = tiles.bounding_box()
    tiles.click(position={"x": box["width"] * 2.5 / grid.cols, "y": box["height"] * 1.5 / grid.rows})
    expect(page.get_by_role("heading", name="Row 1, column 2")).to_be_visible()
    page.locator(".picker").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Row 1, column 3")).to_be_visible()


def test_choosing_a_dot_shows_its_head_which_opens_in_the_explorer(app, open_page):
    page = open_page(app)
    explorer_of(page)
    page.get_by_role("link", name="Heads").click()
    settled(page)
    heading = page.get_by_role("heading", name=re.compile("Layer .*, head"))
    last = SHIPPED.num_layers - 1
    expect(heading).to_have_text(f"Layer {last}, head 0")
    dot = page.locator("[data-testid=stVegaLiteChart] [aria-label^='layer: 2;'][aria-roledescription=circle]").last
    dot.click(force=True)  # dots of like heads lie over each other
    expect(heading).to_have_text(re.compile("Layer 2, head"))

    head = re.search(r"head (\d+)", heading.text_content())[1]
    page.get_by_role("button", name="Open this head").click()
    root = explorer_of(page)
    expect(root).to_have_attribute("data-layer", "2")
    expect(root).to_have_attribute("data-head", head)


def test_a_link_to_a_picture_a_model_and_a_head(app, open_page):
    page = open_page(f"{app}/?image=rocket&model=vit_tiny_patch16_224&weights=random&layer=3&head=1&query=2,5")
    root = explorer_of(page)
    expect(root).to_have_attribute("data-layer", "3")
    expect(root).to_have_attribute("data-head", "1")
    expect(root).to_have_attribute("data-query", str(1 + 2 * 14 + 5))
    page.get_by_role("link", name="Rollout").click()
    settled(page)
    expect(page.get_by_role("heading", name="Attention rollout")).to_be_visible()
    settled(page)
    expect(page.get_by_test_id("stMain").get_by_text("vit_tiny_patch16_224").first).to_be_visible()
    page.get_by_role("link", name="Explore").click()
    settled(page)
    root = explorer_of(page)
    expect(root).to_have_attribute("data-query", str(1 + 2 * 14 + 5))


def test_the_training_slider_goes_back_to_noise(app, open_page):
    moments = snapshots("vizvit-tiny")
    page = open_page(app)
    explorer_of(page)
    sidebar = page.get_by_test_id("stSidebar")
    slider = sidebar.get_by_role("slider", name="Training")
    slider.focus()
    for step in (1, 0):
        while int(slider.input_value()) > step:
            page.keyboard.press("ArrowLeft")
        expect(sidebar.get_by_text(f"{100 * moments[step].top1:.1f} % of held-out pictures")).to_be_visible()
        settled(page)
        vit = vizvit.load_model("vizvit-tiny", weights=moments[step].weights)
        cap = vizvit.capture(vit, data.chelsea())
        expected = cap.attention(2)[:, 0]
        shown = browser_rows(page, 2, 0).reshape(expected.shape)
        np.testing.assert_allclose(shown, expected, atol=2e-3 * expected.max())
    expect(sidebar.get_by_text("untrained weights").first).to_be_visible()
    expect(page).to_have_url(re.compile("training=0"))
    again = open_page(page.url)
    expect(again.get_by_test_id("stSidebar").get_by_text("untrained weights").first).to_be_visible()


def test_a_link_with_nonsense_shows_what_it_can(app, open_page):
    page = open_page(f"{app}/?image=dodo&weights=heavy&layer=²&head=99&query=99,99&training=x&height=tall")
    explorer_of(page)
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text('no sample picture "dodo"')).to_be_visible()
    expect(sidebar.get_by_text('whole pixels; received "tall"')).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.parametrize("options", [{"viewport": {"width": 390, "height": 844}}, {"color_scheme": "dark"}])
def test_narrow_and_dark(app, open_page, options):
    page = open_page(app, **options)
    explorer_of(page)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
