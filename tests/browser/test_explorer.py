"""The explorer as an instrument: each of its readings in the browser against the engine's own numbers."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import numpy as np
import pytest
import timm
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from reference import FAMILIES, family
from running import drawn, explorer_of, settled
from shipped import CAT, SHIPPED
from skimage import data

import vizvit
from vizvit import explorer
from vizvit.analysis import attention_map, standing_out
from vizvit.analysis.fusion import DIRECTIONS, HEAD_FUSIONS
from vizvit.numbers import share

pytestmark = pytest.mark.browser
GRID = SHIPPED.grid
LAYER = 3
HERE = f"?layer={LAYER}&query=3,2"
TOLERANCE = 2e-3  # of the greatest value, from half precision
BACK = """root => {
    const [first, ...others] = root.querySelectorAll(".pin");
    for (const pin of others) pin.querySelector(".pin-remove").click();
    for (const fold of root.querySelectorAll(".fold[aria-expanded=true]")) fold.click();
    root.querySelector(".choice-tool [data-value=look]").click();
    first.querySelector(".pin-open").click();
}"""


@pytest.fixture
def page(app, share_page) -> Page:
    return begin(share_page(f"{app}/{HERE}"))


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    """The address of the same view in a file of its own, which Chromium opens with a third of the work."""
    selection = {"layer": LAYER, "token": GRID.token(3, 2)}
    return vizvit.save_explorer(CAT, tmp_path_factory.mktemp("alone") / "cat.html", selection=selection).as_uri()


@pytest.fixture
def alone(file, share_page) -> Page:
    """A page with the explorer alone, for what takes no Streamlit."""
    return begin(share_page(file, offline=True))


def begin(page: Page) -> Page:
    """The view of HERE without a comparison, whatever was chosen before: it is pinned as long as the page is open."""
    root = explorer_of(page)
    page.mouse.move(5, 5)
    if "lang=ja" in page.url:
        page.get_by_test_id("stSidebar").get_by_text("English").click()
        expect(root.get_by_role("button", name="class", exact=True)).to_be_visible()
        settled(page)
    if root.locator(".figure-b").count():
        compare_with_nothing(page)
    if not root.locator(".pin").count():
        press(page, "p")
        expect(root.locator(".pin")).to_have_count(1)
    root.evaluate(BACK)
    shown(page)
    return page


def shown(page: Page) -> np.ndarray:
    """The row under the picture's overlay, [token], once nothing is pending."""
    root = explorer_of(page)
    drawn(page)
    expect(root).to_have_attribute("data-pending", "")
    return np.array(root.evaluate("root => Array.from(root.__vizvit.shown())"), np.float32)


def agree(row: np.ndarray, expected: np.ndarray) -> None:
    expected = np.asarray(expected, np.float32).ravel()
    np.testing.assert_allclose(row, expected, atol=TOLERANCE * expected.max())


def patches(row: np.ndarray) -> np.ndarray:
    return row[GRID.num_prefix_tokens :].reshape(GRID.rows, GRID.cols)


def point(page: Page, row: float, col: float) -> None:
    box = explorer_of(page).locator(".figure-a .cover").bounding_box()
    page.mouse.move(
        box["x"] + (col + 0.5) * box["width"] / GRID.cols, box["y"] + (row + 0.5) * box["height"] / GRID.rows
    )


def drag(page: Page, start: tuple[int, int], end: tuple[int, int]) -> None:
    point(page, *start)
    page.mouse.down()
    point(page, *end)
    page.mouse.up()
    page.mouse.move(5, 5)


def press(page: Page, *keys: str) -> Locator:
    picture = explorer_of(page).locator(".figure-a .picture")
    picture.focus()
    for key in keys:
        page.keyboard.press(key)
    return picture


# --- 1. look from anywhere


def test_a_dragged_rectangle_is_the_mean_of_its_patches(alone):
    drag(alone, (2, 1), (4, 3))
    tokens = [GRID.token(row, col) for row in range(2, 5) for col in range(1, 4)]
    rows = CAT.attention(LAYER)[:, tokens].mean(1)  # [head, key]
    agree(shown(alone), rows.mean(0))
    explorer_of(alone).get_by_role("radio", name="head 2").click()
    agree(shown(alone), rows[2])


def test_keys_draw_a_rectangle_and_escape_lets_it_go(alone):
    press(alone, "Shift+ArrowDown", "Shift+ArrowRight")
    tokens = [GRID.token(row, col) for row in (3, 4) for col in (2, 3)]
    agree(shown(alone), CAT.attention(LAYER)[:, tokens].mean((0, 1)))
    press(alone, "Escape")
    agree(shown(alone), CAT.attention(LAYER)[:, 0].mean(0))


def test_a_patch_and_the_class_token_are_attended_by(alone):
    root = explorer_of(alone)
    root.get_by_role("radio", name="is attended by").click()
    agree(shown(alone), CAT.attention_to(GRID.token(3, 2))[LAYER].mean(0))
    expect(root.locator(".read-from dt")).to_have_text("towards")
    root.get_by_role("button", name="class").click()
    agree(shown(alone), CAT.attention_to(0)[LAYER].mean(0))
    expect(root.locator(".read-from dt")).to_have_text("towards")


def test_prefix_tokens_are_a_click_or_a_key_away(alone):
    explorer_of(alone).get_by_role("button", name="class").click()
    agree(shown(alone), CAT.attention(LAYER)[:, 0].mean(0))
    press(alone, "ArrowDown", "t")
    expect(explorer_of(alone)).to_have_attribute("data-query", "0")


def wandered(page: Page) -> int:
    """The query that is tried by itself, once it is not the class token."""
    page.wait_for_function("root => root.dataset.query !== '0'", arg=explorer_of(page).element_handle())
    return int(explorer_of(page).get_attribute("data-query"))


def test_until_somebody_points_the_query_wanders_and_all_is_on_a_small_screen(app, open_page):
    page = open_page(app, reduced_motion="no-preference", viewport={"width": 1280, "height": 720})
    root = explorer_of(page)
    first = wandered(page)
    page.wait_for_function("([root, first]) => +root.dataset.query !== first", arg=[root.element_handle(), first])
    second = int(root.get_attribute("data-query"))
    (one, two), width = (GRID.patch(token) for token in (first, second)), GRID.cols
    assert np.hypot(one[0] - two[0], one[1] - two[1]) >= width / 4
    assert root.evaluate("root => root.__vizvit.choice.token") == 0 and "query" not in page.url.replace(
        "query=class", ""
    )
    page.mouse.move(5, 5)
    expect(root).to_have_attribute("data-query", "0")
    what_is_read_and_pinned_is_on_the_screen(page)


def what_is_read_and_pinned_is_on_the_screen(page: Page) -> None:
    root = explorer_of(page)
    press(page, "p", "[", "p")
    expect(root.locator(".pin")).to_have_count(2)
    drawn(page)
    for part in (".figure-a .picture", ".stepper", ".tile >> nth=-1", ".reading", ".pin >> nth=-1", ".chip >> nth=0"):
        box = root.locator(part).bounding_box()
        assert box["y"] >= 60 and box["y"] + box["height"] <= 720, (part, box)


# --- 2. see all at once


def test_heads_fused(alone):
    for fuse in (name for name in HEAD_FUSIONS if name != "mean"):
        explorer_of(alone).get_by_role("radio", name=fuse, exact=True).click()
        agree(shown(alone), getattr(CAT.attention(LAYER)[:, GRID.token(3, 2)], fuse)(0))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_rollout_is_one_more_layer(alone, direction):
    root = explorer_of(alone)
    root.get_by_role("button", name="rollout").click()
    if direction == "to":
        press(alone, "d")
    expect(root).to_have_attribute("data-layer", "rollout")
    expected = vizvit.rollout(CAT, token=("patch", 3, 2), direction=direction)
    np.testing.assert_allclose(patches(shown(alone)), expected, atol=TOLERANCE * expected.max())
    root.get_by_role("radio", name="what each layer changed").click()
    steps = vizvit.rollout_steps(CAT, token=("patch", 3, 2), direction=direction)
    if direction == "from":  # rows sum to 1: what the patches gain, the class token loses
        moved = np.abs(steps[2] - steps[1]).sum() / 2 + abs((steps[2] - steps[1]).sum()) / 2
        tile = root.get_by_role("radio", name="layer 2", exact=True)
        expect(tile).to_contain_text(share(moved, 1 if moved < 0.0995 else 0))
    root.get_by_role("radio", name="up to each layer").click()
    stands = int(standing_out(expected).sum())
    expect(root.locator(".reading")).to_contain_text(f"{stands} patch" if stands else "half of it in")
    root.get_by_role("radio", name="layers 0–2").click()
    expect(root).to_have_attribute("data-layer", "2")


def test_all_layers_and_heads_each_a_click_away(alone):
    root = explorer_of(alone)
    root.get_by_role("button", name="all layers and heads").click()
    atlas = root.locator(".atlas-maps")
    expect(atlas).to_be_visible()
    alone.wait_for_function("root => root.dataset.atlasMs", arg=root.element_handle())
    box = atlas.bounding_box()
    atlas.click(position={"x": box["width"] * 1.5 / CAT.num_layers, "y": box["height"] * 4.5 / CAT.num_heads})
    expect(root).to_have_attribute("data-layer", "1")
    expect(root).to_have_attribute("data-head", "4")
    atlas.focus()
    alone.keyboard.press("ArrowRight")
    alone.keyboard.press("ArrowUp")
    expect(root).to_have_attribute("data-layer", "2")
    expect(root).to_have_attribute("data-head", "3")


# --- 3. read numbers


def test_reading_a_patch(alone):
    root = explorer_of(alone)
    root.get_by_role("radio", name="head 1").click()
    root.get_by_role("radio", name="read numbers").click()
    point(alone, 5, 6)
    row = CAT.attention(LAYER)[1, GRID.token(3, 2)]
    key = GRID.token(5, 6)
    under = root.locator(".read-under dd")
    expect(under).to_contain_text("row 5, column 6")
    expect(under).to_contain_text(f"rank {1 + int((row > row[key]).sum())}")
    share, score = re.search(r"· ([\d.]+) %.*q·k (−?[\d.]+)", under.inner_text(), re.S).groups()
    assert float(share) == pytest.approx(100 * row[key], abs=0.051)
    product = float(CAT.queries(LAYER)[1, GRID.token(3, 2)] @ CAT.keys(LAYER)[1, key])
    assert float(score.replace("−", "-")) == pytest.approx(product, rel=0.01, abs=0.02)


def number_of(written: str) -> float:
    """Of "2.4 × 10⁻⁶" as of "0.12"."""
    return float(written.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")).replace(" × 10", "e"))


def test_why_this_number(page):
    root = explorer_of(page)
    root.get_by_role("radio", name="head 1").click()
    root.get_by_role("button", name="why this number?").click()
    press(page, "x", "x", "ArrowDown", "ArrowRight")  # reading: the arrows move the token that is read
    expect(root.locator(".why-title")).to_have_text("head 1, from row 3, column 2 to row 4, column 3")
    engine = root.locator(".why-body .engine td")
    expect(engine).to_contain_text("differs by")
    cells = [number_of(text.rstrip(" %")) for text in root.locator(".why-body td").all_inner_texts()[:-1]]
    product, scaled, exponential, total, attention = cells
    expected = CAT.attention(LAYER)[1, GRID.token(3, 2)]
    assert scaled == pytest.approx(product * CAT.scale(LAYER), rel=2e-3)
    assert attention / 100 == pytest.approx(exponential / total, rel=2e-3)
    assert attention / 100 == pytest.approx(expected[GRID.token(4, 3)], abs=TOLERANCE * float(expected.max()))
    value, difference = re.search(r"([\d.]+) %, differs by (.+) of the row", engine.inner_text()).groups()
    assert float(value) / 100 == pytest.approx(expected[GRID.token(4, 3)], rel=1e-3)
    assert number_of(difference) < TOLERANCE


def test_numbers_of_every_head(alone):
    root = explorer_of(alone)
    root.get_by_role("button", name="numbers of every head").click()
    lines = root.locator(".numbers-body tbody tr")
    expect(lines).to_have_count(CAT.num_heads)
    expect(lines.first).not_to_contain_text("…")
    entropy, distance = vizvit.attention_entropy(CAT)[LAYER], vizvit.attention_distance(CAT)[LAYER]
    share, sinks = vizvit.prefix_share(CAT)[LAYER], vizvit.attention_sinks(CAT)[LAYER]
    for head in range(CAT.num_heads):
        cells = lines.nth(head).locator("td").all_inner_texts()
        assert float(cells[3]) == pytest.approx(entropy[head], abs=0.011)
        assert float(cells[4].split()[0]) == pytest.approx(distance[head], abs=0.51)
        assert float(cells[5].split()[0]) == pytest.approx(100 * share[head], abs=0.051)
        assert (cells[6] == "–") == (not sinks[head].any())
    lines.nth(4).get_by_role("button").click()
    expect(root).to_have_attribute("data-head", "4")


# --- 4. honest scaling


def legend(page: Page) -> list[float]:
    texts = explorer_of(page).locator(".figure-a .ticks span").all_inner_texts()
    return [float(re.search(r"[\d.]+", text)[0]) for text in texts]


def test_scales_have_real_values(alone):
    root, top = explorer_of(alone), 100 * attention_map(CAT, LAYER, token=("patch", 3, 2))
    scale, text = root.locator("select").nth(0), root.locator(".figure-a .scale-text")
    rows = 100 * CAT.attention(LAYER)[:, GRID.token(3, 2), GRID.num_prefix_tokens :]
    assert legend(alone)[-1] == pytest.approx(top.max(), rel=0.06)
    expectations = {
        "shared": (rows.max(), "one scale for all heads"),
        "absolute": (100, "0 to 100 %"),
        "percentile": (np.percentile(top, 99), "99th percentile"),
        "own": (top.max(), "own maximum"),
    }
    for name, (most, words) in expectations.items():
        scale.select_option(name)
        expect(text).to_contain_text(words)
        assert legend(alone)[-1] == pytest.approx(most, rel=0.06)
    root.locator("select").nth(1).select_option("log")
    expect(text).to_contain_text("logarithmic")
    assert legend(alone)[0] == pytest.approx(top.min(), rel=0.1)
    root.locator("select").nth(2).select_option("smooth")
    expect(text).to_contain_text("smoothed")


def test_colours_are_those_of_the_map(alone):
    from matplotlib import colormaps

    explorer_of(alone).locator("select").nth(4).select_option("veil")
    explorer_of(alone).locator(".overlay-opacity input").fill("1")
    for name in ("viridis", "cividis", "inferno"):
        explorer_of(alone).locator("select").nth(3).select_option(name)
        row = patches(shown(alone))
        flat = (
            explorer_of(alone)
            .locator(".figure-a .overlay")
            .evaluate("c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)")
        )
        pixels = np.array(flat).reshape(GRID.rows, GRID.cols, 4)[..., :3]
        index = np.clip((row / row.max() * 256).astype(int), 0, 255)
        near = 255 * colormaps[name](np.stack([np.clip(index + step, 0, 255) for step in (-1, 0, 1)]))[..., :3]
        assert np.all(near.min(0) - 1 <= pixels) and np.all(pixels <= near.max(0) + 1), name


# --- 5. compare


def compare(page: Page, name: str) -> Locator:
    root = explorer_of(page)
    handle, row = root.element_handle(), "root => String(root.__vizvit.shown('b'))"
    before = root.evaluate(row)
    choose_comparison(page, name)
    expect(root.locator(".figure-b")).to_be_visible()
    page.wait_for_function(f"([root, before]) => ({row})(root) !== before", arg=[handle, before])
    settled(page)
    return root


def compare_with_nothing(page: Page) -> None:
    choose_comparison(page, "nothing")
    expect(explorer_of(page).locator(".figure-b")).to_have_count(0)


def choose_comparison(page: Page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("radio", name=name).or_(
        page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True)
    ).first.click()


def second(page: Page) -> np.ndarray:
    return np.array(explorer_of(page).evaluate("root => Array.from(root.__vizvit.shown('b'))"), np.float32)


def test_one_comparison_after_the_other_and_back_to_none(page):
    a_flipped_picture_beside_it_with_linked_cursor_and_difference(page)
    a_place_that_the_second_picture_lacks_is_left_empty(page)
    two_moments_of_training(page)
    a_second_picture_and_back_to_one(page)


def a_flipped_picture_beside_it_with_linked_cursor_and_difference(page: Page) -> None:
    root = compare(page, "flipped")
    point(page, 2, 1)
    expect(root).to_have_attribute("data-query", str(GRID.token(2, 1)))
    mirrored = vizvit.capture_view(SHIPPED, np.ascontiguousarray(CAT.view[:, ::-1]))
    first, other = CAT.attention(LAYER), mirrored.attention(LAYER)
    one = first[:, GRID.token(2, 1)].mean(0)
    two = other[:, GRID.token(2, GRID.cols - 2)].mean(0)  # the same spot of the picture
    agree(shown(page), one)
    agree(second(page), two)
    difference = np.array(root.evaluate("root => Array.from(root.__vizvit.difference)"), np.float32)
    expected = patches(two)[:, ::-1] - patches(one)
    np.testing.assert_allclose(patches(difference), expected, atol=2 * TOLERANCE * one.max())
    box = root.locator(".figure-b .cover").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5 / GRID.cols, box["y"] + box["height"] * 0.5 / GRID.rows)
    expect(root).to_have_attribute("data-query", str(GRID.token(0, GRID.cols - 1)))
    expect(page).to_have_url(re.compile("compare=flip"))
    page.mouse.move(5, 5)


def a_place_that_the_second_picture_lacks_is_left_empty(page: Page) -> None:
    root = compare(page, "cropped")
    point(page, 0, 0)
    expect(root.locator(".figure-b .pending")).to_contain_text("not on the second picture")
    assert root.locator(".figure-b .overlay").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.every(byte => byte === 0)"
    )
    point(page, 4, 4)
    expect(root.locator(".figure-b .pending")).to_be_empty()
    page.mouse.move(5, 5)


def two_moments_of_training(page: Page) -> None:
    root = compare(page, "another moment of training")
    noise = vizvit.capture(vizvit.load_model("vizvit-tiny", weights="random"), data.chelsea())
    expect(root.locator(".figure-b .badge")).to_have_text("untrained weights")
    one, two = (root.locator(f".figure-{name} .ticks span").last.inner_text() for name in "ab")
    assert one == two, "an even map has to look even beside a trained one"
    agree(second(page), noise.attention(LAYER)[:, GRID.token(3, 2)].mean(0))
    expect(root.locator(".figure-d")).to_be_visible()


def a_second_picture_and_back_to_one(page: Page) -> None:
    compare(page, "another picture")
    other = vizvit.capture(SHIPPED, data.coffee())
    agree(second(page), other.attention(LAYER)[:, GRID.token(3, 2)].mean(0))
    compare_with_nothing(page)
    agree(shown(page), CAT.attention(LAYER)[:, GRID.token(3, 2)].mean(0))


@pytest.fixture(scope="module")
def shallow(tmp_path_factory) -> str:
    """The folder of a small ViT of another grid than the shipped model's."""
    folder = tmp_path_factory.mktemp("shallow")
    module = timm.create_model("vit_tiny_patch16_224", depth=5)
    timm.models.save_for_hf(module, folder, model_args={"depth": 5})
    return str(folder)


def test_two_models_of_different_grids_have_a_cursor_and_only_one_model_has_a_difference(app, open_page, shallow):
    page = open_page(f"{app}/{HERE}&compare=model:{quote(shallow)}")
    root = explorer_of(page)
    expect(root.locator(".figure-b")).to_be_visible()
    settled(page)
    cap = vizvit.capture(vizvit.load_model(shallow), data.chelsea())
    layer = round(LAYER * (cap.num_layers - 1) / (CAT.num_layers - 1))
    expect(root.locator(".figure-b .figure-title")).to_contain_text(f"layer {layer}")
    page.wait_for_function("root => root.__vizvit.shown('b')", arg=root.element_handle())
    rows = cap.attention(layer).mean(0)
    token = int(np.argmin(np.abs(rows - second(page)).max(-1)))
    agree(second(page), rows[token])
    row, col = cap.grid.patch(token)
    assert abs((row + 0.5) / cap.grid.rows - 3.5 / GRID.rows) < 1 / GRID.rows
    assert abs((col + 0.5) / cap.grid.cols - 2.5 / GRID.cols) < 1 / GRID.cols
    expect(root.locator(".figure-d")).to_be_hidden()
    compare(page, "flipped")
    expect(root.locator(".figure-d")).to_be_visible()
    another_model_while_comparing_gets_a_difference_of_its_own(page, shallow)


def another_model_while_comparing_gets_a_difference_of_its_own(page: Page, model: str) -> None:
    root = explorer_of(page)
    page.get_by_test_id("stSidebar").get_by_role("combobox", name="Model").fill(model)
    page.keyboard.press("Enter")
    expect(root).to_have_attribute("data-rows", "14")
    expect(root).to_have_attribute("data-layer", "4")  # a new model opens at its last
    settled(page)
    page.wait_for_function(
        "root => root.__vizvit.shown('b')?.length === 197 && root.__vizvit.difference?.length === 197",
        arg=root.element_handle(),
    )
    one, two, found = (
        np.array(root.evaluate(f"root => Array.from(root.__vizvit.{what})"), np.float32)[1:].reshape(14, 14)
        for what in ("shown()", "shown('b')", "difference")
    )
    np.testing.assert_allclose(found, two[:, ::-1] - one, atol=1e-6)


# --- 6. play


def test_play_and_pause_and_slowly_with_less_motion(file, open_page):
    alone = open_page(file, offline=True, reduced_motion="no-preference")
    root = explorer_of(alone)
    root.locator(".speed").select_option("4")
    root.get_by_role("button", name=re.compile("^play")).click()
    expect(root).to_have_attribute("data-layer", str(CAT.num_layers - 1))
    expect(root.get_by_role("button", name=re.compile("^play"))).to_be_visible()
    alone.clock.install(time=0)
    alone.clock.pause_at(60_000)  # milliseconds: from now on time goes on only when it is told to
    press(alone, " ")  # from the last layer, it begins at the first
    alone.clock.run_for(20)
    expect(root).to_have_attribute("data-layer", "0")
    root.get_by_role("button", name=re.compile("^pause")).click()
    layer = root.get_attribute("data-layer")
    alone.clock.run_for(5000)
    assert root.get_attribute("data-layer") == layer == "0"
    alone.emulate_media(reduced_motion="reduce")
    root.get_by_role("button", name=re.compile("^play")).click()
    alone.clock.run_for(1200)  # five layers at this speed otherwise
    expect(root).to_have_attribute("data-layer", "0")
    alone.clock.run_for(1200)
    expect(root).to_have_attribute("data-layer", "1")


# --- 7. keep


def choose_kept(page: Page, name: str) -> None:
    root = explorer_of(page)
    root.get_by_role("button", name="Keep", exact=True).click()
    root.get_by_role("menuitem", name=name).click()


def kept(page: Page, name: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        choose_kept(page, name)
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_pictures_of_the_view_a_handout_of_the_pinned_ones_and_numbers_are_kept(page):
    name, svg = kept(page, "Picture, SVG")
    text = re.sub(r"</text>\s*<text[^>]*>", " ", svg.decode())  # lines joined
    assert name == f"vizvit-cat-layer{LAYER}.svg"
    assert text.startswith("<svg") and "vizvit-tiny" in text and "row 3, column 2" in text and "own maximum" in text
    name, png = kept(page, "Picture, PNG")
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert name.endswith(".png") and picture.shape[1] > 1500 and picture.std() > 20

    press(page, "1", "p", "o", "p")
    expect(explorer_of(page).locator(".pin")).to_have_count(3)  # with that of the beginning
    name, pdf = kept(page, "Handout, PDF")
    assert name.endswith(".pdf") and pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") == 1

    press(page, "o", "f", "d")
    expect(explorer_of(page)).to_have_attribute("data-head", "max")
    expect(page).to_have_url(re.compile("direction=to"))
    _, file = kept(page, "Numbers, NPZ")
    with np.load(io.BytesIO(file)) as numbers:
        expected = CAT.attention_to(("patch", 3, 2))[LAYER]
        np.testing.assert_allclose(numbers["attention"], expected, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(numbers["map"], patches(expected.max(0)), rtol=1e-4, atol=1e-7)
        assert json.loads(str(numbers["meta"]))["picture"].endswith("cat")


def test_the_stand_alone_file_is_kept(page, open_page, tmp_path):
    name, html = kept(page, "Stand-alone file, HTML")
    file = tmp_path / name
    file.write_bytes(html)
    alone = open_page(file.as_uri(), offline=True)
    agree(shown(alone), CAT.attention(LAYER)[:, GRID.token(3, 2)].mean(0))
    explorer_of(alone).get_by_role("button", name="Keep", exact=True).click()
    expect(explorer_of(alone).get_by_role("menuitem")).to_have_count(3)  # what needs Python is not offered
    press(alone, "Escape", "w")
    expect(explorer_of(alone).locator(".why-body .engine")).to_contain_text(
        f"{CAT.num_layers * CAT.num_heads * CAT.num_tokens} rows"
    )


def test_the_copied_program_makes_the_same_map(page, tmp_path):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    compare(page, "flipped")
    press(page, "1", "d", "l")
    explorer_of(page).locator("select").nth(0).select_option("percentile")
    expect(page).to_have_url(re.compile("scale=percentile"))
    settled(page)
    choose_kept(page, "Copy as Python")
    expect(explorer_of(page).locator(".notice")).to_have_text("The Python code is on the clipboard.")
    code = page.evaluate("navigator.clipboard.readText()")
    names: dict = {}
    with contextlib.chdir(tmp_path):
        exec(code, names)
    row = shown(page)
    np.testing.assert_allclose(patches(row), names["heat"], atol=TOLERANCE * row.max())
    np.testing.assert_allclose(patches(second(page)), names["other_heat"], atol=TOLERANCE * row.max())
    (file,) = tmp_path.glob("*head1.png")
    np.testing.assert_array_equal(np.asarray(Image.open(file)), names["picture"])


def test_the_copied_link_says_and_opens_the_view(page, open_page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    root = explorer_of(page)
    root.locator(".overlay-opacity input").fill("1")
    root.locator("select").nth(3).select_option("inferno")
    press(page, "d", "o", "f", "s", "l", "m", "g", "v", "Shift+ArrowRight")
    choose_kept(page, "Copy link")
    expect(root.locator(".notice")).to_have_text("The link is on the clipboard.")
    link = page.evaluate("navigator.clipboard.readText()")
    said = {"query": "3,2-3,3", "direction": "to", "rollout": "1", "fuse": "max", "scale": "shared", "curve": "log"}
    said |= {"smooth": "1", "grid_lines": "0", "colours": "inferno", "opacity": "100"}
    assert dict(parse_qsl(urlsplit(link).query)).items() >= said.items()
    again = open_page(link)
    for part in ("choice", "options"):
        one, two = (explorer_of(p).evaluate(f"root => root.__vizvit.{part}") for p in (page, again))
        assert one == two


# --- 8. for everyone


def test_the_main_path_by_keys_alone(alone):
    """Query, head, layer, direction, rollout, scale, pin, help: with no pointer."""
    root = explorer_of(alone)
    press(alone, "ArrowUp", "ArrowLeft")
    expect(root).to_have_attribute("data-query", str(GRID.token(2, 1)))
    press(alone, "2", "[", "d")
    expect(root).to_have_attribute("data-head", "2")
    expect(root).to_have_attribute("data-layer", str(LAYER - 1))
    agree(shown(alone), CAT.attention_to(("patch", 2, 1))[LAYER - 1, 2])
    press(alone, "d", "f", "s", "l", "m")
    expect(root).to_have_attribute("data-head", "max")
    assert root.evaluate("root => root.__vizvit.options.scale") == "shared"
    press(alone, "p", "o")
    expect(root).to_have_attribute("data-layer", "rollout")
    expect(root.locator(".pin")).to_have_count(2)
    root.locator(".pin-open").last.focus()
    alone.keyboard.press("Enter")
    expect(root).to_have_attribute("data-layer", str(LAYER - 1))
    press(alone, "?")
    expect(root.locator("dialog.help")).to_be_visible()
    alone.keyboard.press("Escape")
    expect(root.locator("dialog.help")).to_be_hidden()
    expect(root).to_have_attribute("data-layer", str(LAYER - 1))


def test_tab_reaches_every_control_and_each_has_a_name(alone):
    root = explorer_of(alone)
    press(alone)
    names = []
    for _ in range(40):
        name = root.evaluate(
            """root => {
                const active = root.getRootNode().activeElement;
                if (!active || !root.contains(active)) return null;
                const words = active.closest("label") ?? active;
                return active.getAttribute("aria-label") || words.textContent.trim();
            }"""
        )
        if name is None:
            break
        assert name, "a control without a name has the focus"
        names.append(name)
        alone.keyboard.press("Tab")
    wanted = (
        "class",
        "attends to",
        "scale",
        "overlay",
        "why this number",
        "Pin view",
        "Keep",
        "Keys",
        "play",
        "speed",
        "layer",
    )
    for word in (*wanted, "rollout", "mean", "all layers and heads", "numbers of every head"):
        assert any(word in name for name in names), (word, names)


def test_a_finger_looks_and_draws(app, open_page):
    page = open_page(
        f"{app}/{HERE}", viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    root = explorer_of(page)
    box = root.locator(".figure-a .cover").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 5.5 / GRID.cols, box["y"] + box["height"] * 1.5 / GRID.rows)
    expect(root).to_have_attribute("data-query", str(GRID.token(1, 5)))
    root.get_by_role("radio", name="read numbers").click()
    expect(root).to_have_class(re.compile("reads"))  # what is read has come next to the picture
    root.locator(".figure-a .cover").scroll_into_view_if_needed()
    box = root.locator(".figure-a .cover").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 3.5 / GRID.cols, box["y"] + box["height"] * 2.5 / GRID.rows)
    expect(root.locator(".read-under dd")).to_contain_text("row 2, column 3")
    expect(root.locator(".read-under dd")).to_be_visible()
    root.get_by_role("radio", name="rectangle").click()
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, row: float, col: float) -> None:
        x, y = box["x"] + (col + 0.5) * box["width"] / GRID.cols, box["y"] + (row + 0.5) * box["height"] / GRID.rows
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    box = root.locator(".figure-a .cover").bounding_box()
    touch("touchStart", 1, 1)
    touch("touchMove", 2, 2)
    touch("touchMove", 2, 3)
    touch("touchEnd", 2, 3)
    assert root.evaluate("root => root.__vizvit.choice.area") == [1, 1, 2, 3]
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


# --- 9. size, and every kind of model


def test_the_browsers_attention_is_the_engines(open_page, vit, tmp_path):
    page = open_page("about:blank", offline=True)
    for name in FAMILIES:
        cap = vizvit.capture(family(vit, name), data.coffee())
        page.goto(vizvit.save_explorer(cap, tmp_path / f"{name}.html").as_uri())
        attends_as(page, cap)


def test_a_rectangle_of_more_layers_than_one_message_holds(app, open_page, tmp_path):
    """Of BEiT's kind, whose bias takes room: the last layer comes first, the others before they are asked for."""
    options = {"img_size": 352, "depth": 3, "embed_dim": 96, "num_heads": 12}
    module = timm.create_model("beit_base_patch16_224", **options)
    timm.models.save_for_hf(module, tmp_path, model_args=options)
    page = open_page(f"{app}/?model={quote(str(tmp_path))}&weights=random&image=coffee&height=336&width=368")
    cap = vizvit.capture(vizvit.load_model(str(tmp_path), weights="random", image_size=(336, 368)), data.coffee())
    assert len(explorer.window(cap)) < cap.num_layers
    attends_as(page, cap)
    layers_beyond_the_budget_come_on_demand(page, cap.num_layers)


def attends_as(page: Page, cap: vizvit.Capture) -> None:
    root = explorer_of(page)
    for layer in (cap.num_layers - 1, 0):
        page.wait_for_function(
            "([root, layer]) => root.__vizvit.loaded.includes(layer)", arg=[root.element_handle(), layer]
        )
        for token in {0, cap.grid.num_prefix_tokens, cap.num_tokens - 1}:
            flat = root.evaluate(
                "(root, [layer, token]) => Array.from(root.__vizvit.rows(layer, token))", [layer, token]
            )
            expected = cap.attention(layer)[:, token]
            limit = TOLERANCE * expected.max(-1, keepdims=True)
            assert (np.abs(np.array(flat).reshape(expected.shape) - expected) <= limit).all()


def layers_beyond_the_budget_come_on_demand(page: Page, layers: int) -> None:
    root = explorer_of(page)
    page.wait_for_function(
        "([root, layers]) => root.__vizvit.loaded.length === layers", arg=[root.element_handle(), layers]
    )
    settled(page)
    press(page, *["["] * (layers - 1))
    expect(root).to_have_attribute("data-layer", "0")
    expect(root).to_have_attribute("data-pending", "")


def test_unrelated_reruns_leave_the_explorer_and_its_numbers_alone(page):
    root = explorer_of(page)
    root.evaluate("root => root.marked = root.querySelector('.overlay').marked = true")
    received = root.evaluate("root => root.__vizvit.received")
    root.get_by_role("button", name="numbers of every head").click()
    press(page, "o")
    expect(root.locator(".numbers-body")).to_contain_text("one map of all heads")
    press(page, "o")
    expect(root.locator(".numbers-body tbody tr")).to_have_count(CAT.num_heads)
    press(page, "ArrowRight", "[")  # settled choices rerun the page
    expect(page).to_have_url(re.compile(f"layer={LAYER - 1}"))
    settled(page)
    compare(page, "flipped")
    assert root.evaluate("root => root.marked && root.querySelector('.figure-a .overlay').marked")
    page.get_by_test_id("stSidebar").get_by_text("日本語").click()
    expect(root.get_by_role("button", name="クラス")).to_be_visible()
    expect(root.locator(".numbers-body tbody tr").first).to_contain_text("ヘッド 0")
    assert root.evaluate("root => root.marked && root.querySelector('.figure-a .overlay').marked")
    assert root.evaluate("root => root.__vizvit.received") <= received + 2  # a title for the comparison, and the words
