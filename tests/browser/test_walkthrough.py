"""The walkthrough, stage by stage, in a real browser; models of other families run through it without one."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import quote

import numpy as np
import pytest
from local_data import local_data
from playwright.sync_api import Locator, Page, expect
from running import settled
from shipped import CAT, SHIPPED
from skimage import data
from streamlit.testing.v1 import AppTest
from test_offline import opened_offline

import vizvit
from vizvit import walk
from vizvit.forward.anatomy import dissect
from vizvit.pages.shared.look import plain
from vizvit.pages.walkthrough.html import badge
from vizvit.walk.lessons import LESSONS, lesson
from vizvit.walk.stages import STAGES
from vizvit.walk.tour import Tour

pytestmark = pytest.mark.browser
GRID = SHIPPED.grid
RECOMPUTED = set(range(2, len(STAGES) + 1))  # all that is made of the picture's own numbers
STATE = "&layer=3&head=2&query=2,5"
WAYS = ("without", "with")  # the division by the root of a head's width


@cache
def anatomy(layer: int):
    return dissect(SHIPPED, CAT.view, layer)


def at_stage(page: Page, stage: int) -> Locator:
    """The main area, once this stage is drawn."""
    page.locator(f".bar[data-stage='{stage}']").wait_for()
    page.locator(f".st-key-walk_stage_{STAGES[stage - 1].name} [data-draw]").first.wait_for()
    settled(page)
    return page.get_by_test_id("stMain")


def drawing(page: Page) -> str:
    return "".join(page.locator(".vw-body").evaluate_all("parts => parts.map(part => part.innerHTML)"))


def strip(page: Page, name: str) -> np.ndarray:
    """The numbers that a strip of colours tells under the pointer."""
    tips = page.locator(f"[data-draw='{name}'] rect").evaluate_all("cells => cells.map(cell => cell.dataset.tip)")
    return np.array([float(tip.split(": ")[1].replace("−", "-")) for tip in tips])


def check_stage(page: Page, stage: int, language: str) -> None:
    main = at_stage(page, stage)
    expect(main.get_by_role("heading", level=1)).to_have_text(lesson(LESSONS[stage - 1], language).title)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    differences = page.locator("[data-difference]").evaluate_all("all => all.map(one => one.dataset.difference)")
    assert all(float(difference) < 1e-4 for difference in differences), differences
    assert bool(differences) == (stage in RECOMPUTED), stage


@pytest.mark.parametrize(("language", "following"), [("en", "Next"), ("ja", "次へ")])
def test_all_stages_by_next_and_by_keys(app, open_page, language, following):
    page = open_page(f"{app}/walkthrough?lang={language}")
    for stage in range(1, len(STAGES) + 1):
        check_stage(page, stage, language)
        if stage % 2 and stage < len(STAGES):
            page.get_by_role("button", name=re.compile(f"^{following}: ")).click()
        elif stage < len(STAGES):
            page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    at_stage(page, len(STAGES) - 1)
    page.get_by_role("button", name=re.compile("^3 ")).click()
    check_stage(page, 3, language)
    expect(page).to_have_url(re.compile("stage=3"))


def test_patch_head_and_layer_change_the_drawing_and_explore_follows(app, open_page):
    page = open_page(f"{app}/walkthrough?stage=8&lang=en{STATE}")
    at_stage(page, 8)
    place, photo, seen = page.locator(".place"), page.locator(".meet .photo"), [drawing(page)]
    box = photo.bounding_box()
    where = {"x": 1.5 * box["width"] / GRID.cols, "y": 6.5 * box["height"] / GRID.rows}
    photo.click(position=where)
    expect(place).to_have_attribute("data-token", str(GRID.token(6, 1)))
    for name, value in (("head", 4), ("layer", 1)):
        settled(page)
        seen.append(drawing(page))
        place.locator(f".{name}_row").get_by_role("radio", name=str(value)).click()
        expect(place).to_have_attribute(f"data-{name}", str(value))
    settled(page)
    seen.append(drawing(page))
    assert len(set(seen)) == 4
    expect(page).to_have_url(re.compile(r"layer=1.*head=4|head=4.*layer=1"))
    place.get_by_role("radio", name="class").click()
    expect(page).to_have_url(re.compile("query=class"))
    settled(page)  # until then the drawing follows the patch, and a click on it says nothing new
    photo.click(position=where)
    expect(place).to_have_attribute("data-token", str(GRID.token(6, 1)))
    settled(page)
    page.get_by_role("link", name="Explore").click()
    settled(page)
    root = page.locator(".vizvit[data-ready=true]")
    for name, value in (("query", GRID.token(6, 1)), ("layer", 1), ("head", 4)):
        expect(root).to_have_attribute(f"data-{name}", str(value))
    page.keyboard.press("ArrowRight")  # the walk no longer listens
    page.get_by_role("link", name="Walkthrough").click()
    settled(page)
    at_stage(page, 8)
    expect(page.locator(".place")).to_have_attribute("data-head", "4")


def test_a_patch_is_lifted_and_an_answer_is_revealed(app, open_page):
    page = open_page(f"{app}/walkthrough?lang=en")
    main = at_stage(page, 1)
    patch = page.locator(".cells i").nth(10)
    patch.hover()
    page.wait_for_function(
        "patch => new DOMMatrix(getComputedStyle(patch).transform).a > 1.5", arg=patch.element_handle()
    )
    patch.click()
    expect(page.locator(".place")).to_have_attribute("data-token", str(GRID.num_prefix_tokens + 10))
    answer = lesson(LESSONS[0], "en").answer[:40]
    expect(main.get_by_text(answer)).to_have_count(0)
    main.get_by_text("Show the answer").click()
    expect(main.get_by_text(answer)).to_be_visible()


def test_numbers_on_the_screen_are_the_engines(app, open_page):
    token, a = GRID.token(2, 5), anatomy(3)
    page = open_page(f"{app}/walkthrough?stage=3&lang=en{STATE}")
    at_stage(page, 3)
    np.testing.assert_allclose(strip(page, "embedding"), walk.embedding(a, 2, 5).vector, rtol=6e-3)

    page.goto(f"{app}/walkthrough?stage=8&lang=en{STATE}")
    main, scores = at_stage(page, 8), walk.scores(a, token, 2)
    table = main.locator("[data-draw=scaling] td").all_inner_texts()
    assert table[1] == f"{scores.entropy:.3g}" and table[4] == f"{scores.entropy_unscaled:.3g}"
    main.get_by_text("without", exact=True).first.click()
    expect(main.locator(".vw-facts dd").first).to_have_text(f"{scores.entropy_unscaled:.3g} nats")
    settled(page)

    page.goto(f"{app}/walkthrough?stage=13&lang=en{STATE}")
    main = at_stage(page, 13)
    probabilities = CAT.probabilities
    best = np.argsort(probabilities)[::-1][:5]
    cells = main.locator("[data-draw=top] > span").all_inner_texts()
    assert cells[::2] == [SHIPPED.label(i).split(", ")[0] for i in best]
    shown = [float(cell.split(" %")[0]) for cell in cells[1::2]]
    np.testing.assert_allclose(shown, 100 * probabilities[best], atol=0.06)


def test_a_query_meets_a_key_and_the_spine_leads_on(app, open_page):
    token, key = GRID.token(2, 5), GRID.token(7, 3)
    page = open_page(f"{app}/walkthrough?stage=8&lang=en{STATE}")
    at_stage(page, 8)
    meet = page.locator(".meet[data-ready]")
    box = meet.locator(".photo").bounding_box()
    meet.locator(".photo").hover(position={"x": 3.5 * box["width"] / GRID.cols, "y": 7.5 * box["height"] / GRID.rows})
    expect(meet).to_have_attribute("data-key", str(key))
    scores = walk.scores(anatomy(3), token, 2)
    found = [float(meet.get_attribute(f"data-{name}")) for name in ("product", "attention")]
    np.testing.assert_allclose(found, [scores.products[key], scores.attention[key]], rtol=5e-3)

    page.locator(".spread input").focus()
    page.keyboard.press("End")
    largest = {name: float(page.locator(f".spread .{name}").get_attribute("data-largest")) for name in WAYS}
    assert largest["without"] > 0.6 and largest["with"] < 0.3

    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") > 0
    page.get_by_role("radio", name="layer 5").click()
    expect(page.locator(".place")).to_have_attribute("data-layer", "5")
    page.get_by_role("button", name="11 MLP").click()
    at_stage(page, 11)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == 0


@pytest.mark.parametrize(
    ("model", "side"),
    [
        ("deit_tiny_distilled_patch16_224", 64),
        ("vit_small_patch14_reg4_dinov2", 56),
        ("vit_base_patch16_siglip_224", 64),
        ("eva02_tiny_patch14_224", 56),
        ("vit-s14-saliency", 518),
    ],
)
def test_other_families_in_a_shared_lesson(app, open_page, model, side):
    """The sentence, a query and a key, the slider, and the spine on to the lesson's other stage."""
    own, said = side == 518, "Where does it look?"
    name = str(local_data(model)) if own else model
    vit = vizvit.load_model(name, weights="pretrained" if own else "random", image_size=side, device="cpu")
    grid, row, col = vit.grid, 2, 3
    token, key, tour = grid.token(1, 1), grid.token(row, col), Tour.of({8: said, 11: ""})
    options = f"&model={quote(name)}" + ("" if own else f"&weights=random&height={side}&width={side}")
    options += f"&lesson={quote(tour.written())}"
    page = open_page(f"{app}/walkthrough?stage=8&lang=en&layer=2&head=1&query=1,1{options}")
    expect(at_stage(page, 8).get_by_text(said)).to_be_visible()
    meet = page.locator(".meet[data-ready]")
    box = meet.locator(".photo").bounding_box()
    where = {"x": (col + 0.5) * box["width"] / grid.cols, "y": (row + 0.5) * box["height"] / grid.rows}
    meet.locator(".photo").hover(position=where)
    expect(meet).to_have_attribute("data-key", str(key))
    scores = walk.scores(dissect(vit, vizvit.capture(vit, data.chelsea()).view, 2), token, 1)
    for shown, expected in (("product", scores.products), ("attention", scores.attention)):
        found = float(meet.get_attribute(f"data-{shown}"))
        np.testing.assert_allclose(found, expected[key], atol=2e-3 * np.abs(expected).max())
    page.locator(".spread input").focus()
    page.keyboard.press("End")
    without, divided = (float(page.locator(f".spread .{kind}").get_attribute("data-largest")) for kind in WAYS)
    assert without > 0.6 and divided < 0.3
    expect(page.get_by_role("button", name="9 Values")).to_have_count(0)
    page.get_by_role("button", name="11 MLP").click()
    at_stage(page, 11)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_batch_normalisation_moves_and_layer_normalisation_stays(app, open_page):
    page = open_page(f"{app}/walkthrough?stage=6&lang=en{STATE}")
    main = at_stage(page, 6)
    before = {name: strip(page, name) for name in ("batch-norm", "layer-norm")}
    main.get_by_role("radio", name="8").or_(main.get_by_role("button", name="8", exact=True)).last.click()
    expect(main.get_by_text("batch normalisation, 8 in the batch")).to_be_visible()
    assert np.abs(strip(page, "batch-norm") - before["batch-norm"]).max() > 0.1
    np.testing.assert_array_equal(strip(page, "layer-norm"), before["layer-norm"])


def test_the_address_opens_the_same_place(app, open_page):
    page = open_page(f"{app}/walkthrough?stage=9&lang=en&layer=4&head=5&query=class")
    at_stage(page, 9)
    place = page.locator(".place")
    for name, value in (("token", 0), ("layer", 4), ("head", 5)):
        expect(place).to_have_attribute(f"data-{name}", str(value))


def test_a_lesson_is_shared_by_a_link_and_by_a_file(app, open_page, browser, tmp_path):
    token, key, said = GRID.token(2, 5), GRID.token(7, 3), "Where does *the ear* <b>look</b>?"
    page = open_page(f"{app}/walkthrough?stage=10&lang=en{STATE}")
    at_stage(page, 10)
    page.locator(".st-key-walk_share button").first.click()
    share = page.get_by_test_id("stPopoverBody")
    for name in ("8 Scores", "3 Embedding"):
        share.get_by_text(name, exact=True).click()
        settled(page)
    share.get_by_label("8 Scores, scaling, softmax").fill(said)
    page.keyboard.press("Enter")
    share.locator("a", has_text="as a student").and_(share.locator("[href*=ear]")).wait_for()
    link = share.locator("a", has_text="as a student").get_attribute("href")
    share.get_by_text("Make a file").click()
    with page.expect_download() as file:
        share.get_by_text("Download the lesson").click()
    file.value.save_as(tmp_path / "lesson.html")

    page = open_page(link)
    main = at_stage(page, 3)
    expect(main.get_by_role("button", name="Back")).to_have_count(0)
    expect(main.get_by_role("button", name="8 Scores")).to_have_count(1)
    expect(main.get_by_role("button", name="7 Q, K, V")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    at_stage(page, 8)
    expect(main.get_by_text(said)).to_be_visible()
    place = page.locator(".place")
    for name, value in (("token", token), ("layer", 3), ("head", 2)):
        expect(place).to_have_attribute(f"data-{name}", str(value))
    page.keyboard.press("ArrowRight")  # the lesson ends here
    main.get_by_role("button", name="Walk all 13 stages").click()
    expect(main.get_by_role("button", name="7 Q, K, V")).to_have_count(1)
    settled(page)
    assert "lesson" not in page.url

    with opened_offline(browser, tmp_path / "lesson.html") as page:
        page.get_by_role("button", name="Next: Scores").click()
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.locator("section:visible math").first).to_be_visible()
        meet = page.locator(".meet[data-ready]")
        box = meet.locator(".photo").bounding_box()
        meet.locator(".photo").hover(
            position={"x": 3.5 * box["width"] / GRID.cols, "y": 7.5 * box["height"] / GRID.rows}
        )
        expect(meet).to_have_attribute("data-key", str(key))
        found = float(meet.get_attribute("data-attention"))
        scores = walk.scores(anatomy(3), token, 2)
        np.testing.assert_allclose(found, scores.attention[key], rtol=5e-3)
        entropy = page.locator("section:visible .vw-facts:visible dd").first
        expect(entropy).to_have_text(f"{scores.entropy:.3g} nats")
        page.get_by_role("button", name="without", exact=True).click()
        expect(entropy).to_have_text(f"{scores.entropy_unscaled:.3g} nats")


WITH_CLASSES = "deit_tiny_distilled_patch16_224"


def walked() -> None:
    import streamlit as st

    from vizvit.pages.sidebar import choice
    from vizvit.pages.walkthrough import page as walkthrough

    st.session_state.choice = choice.choose()
    walkthrough.page()


@pytest.mark.parametrize(
    ("model", "absent"),
    [
        ("vit_base_patch16_siglip_224", {"tokens"}),
        ("eva02_tiny_patch14_224", set()),
        ("deit_tiny_distilled_patch16_224", set()),
        ("vit_small_patch14_reg4_dinov2", set()),
    ],
)
def test_other_families_go_through_all_stages(model, absent):
    app = AppTest.from_function(walked, default_timeout=60)
    app.query_params |= {"model": model, "weights": "random", "height": "224", "layer": "2"}
    without, recomputed = set(), set()
    for number, stage in enumerate(STAGES, 1):
        app.session_state["walk"] = {"stage": number, "on_prefix": False, "patch": None}
        app.run()
        assert not app.exception, (stage.name, app.exception)
        assert not app.error
        html = " ".join(str(part.proto) for part in app.get("bidi_component"))
        differences = [float(found) for found in re.findall(r"data-difference=\W*([\d.e+-]+)", html)]
        assert all(difference < 1e-4 for difference in differences), (stage.name, differences)
        recomputed |= {number} if differences else set()
        if app.info:
            without.add(stage.name)
            assert plain(model) in app.info[0].value
    assert without == absent
    unread = {"depth"} if model != WITH_CLASSES else set()  # no classifier, no lens
    assert recomputed == {n for n in RECOMPUTED if STAGES[n - 1].name not in absent | unread}


def test_a_difference_that_is_more_than_rounding_is_red():
    assert 'class="vw-badge off"' in badge(2e-4)
    assert 'class="vw-badge"' in badge(2e-5)
