"""The walkthrough, stage by stage, in a real browser; models of other families run through it without one."""

from __future__ import annotations

import json
import re
from functools import cache
from urllib.parse import parse_qsl, quote

import numpy as np
import pytest
from local_data import local_data
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from running import settled
from safetensors.numpy import load_file, save_file
from shipped import CAT, SHIPPED
from skimage import data
from streamlit.testing.v1 import AppTest
from test_explorer_payload import body_of, decoded_attention, halves
from test_offline import opened_offline

import vizvit
from vizvit import walk
from vizvit.explorer.payload import read_header
from vizvit.forward.anatomy import dissect
from vizvit.grid import PatchGrid
from vizvit.pages.shared.look import plain
from vizvit.pages.walkthrough.html import badge
from vizvit.pages.walkthrough.meet import OneHead
from vizvit.walk.lessons import LESSONS, lesson
from vizvit.walk.stages import STAGES
from vizvit.walk.tour import Tour

pytestmark = pytest.mark.browser
GRID = SHIPPED.grid
RECOMPUTED = set(range(2, len(STAGES) + 1))  # all that is made of the picture's own numbers
STATE = "&layer=3&head=2&query=2,5"
WAYS = ("without", "with")  # the division by the root of a head's width
SMALL = "weights=random&height=56&width=56"
REGISTERS = f"model=vit_small_patch14_reg4_dinov2&{SMALL}"


@cache
def anatomy(layer: int):
    return dissect(SHIPPED, CAT.view, layer)


@cache
def loaded(query: str) -> vizvit.VitModel:
    """The model that the app loads for this part of an address."""
    given = dict(parse_qsl(query))
    size = (int(given["height"]), int(given["width"])) if "height" in given else None
    return vizvit.load_model(given["model"], weights=given.get("weights", "pretrained"), image_size=size, device="cpu")


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
    too_wide = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"
    assert page.locator(".katex-display").evaluate_all(too_wide) == []


def patch_at(page: Page, row: int, col: int, grid: PatchGrid = GRID) -> dict[str, float]:
    """Where the middle of a patch is on the picture of stage 8."""
    box = page.locator(".meet .photo").bounding_box()
    return {"x": (col + 0.5) * box["width"] / grid.cols, "y": (row + 0.5) * box["height"] / grid.rows}


def check_pixels(page: Page) -> None:
    """A patch is lifted, and an answer is revealed."""
    patch, main = page.locator(".cells i").nth(2 * GRID.cols + 5), page.get_by_test_id("stMain")
    patch.hover()
    page.wait_for_function(
        "patch => new DOMMatrix(getComputedStyle(patch).transform).a > 1.5", arg=patch.element_handle()
    )
    patch.click()
    expect(page.locator(".place")).to_have_attribute("data-token", str(GRID.token(2, 5)))
    answer = lesson(LESSONS[0], "en").answer[:40]
    expect(main.get_by_text(answer)).to_have_count(0)
    main.get_by_text("Show the answer").click()
    expect(main.get_by_text(answer)).to_be_visible()


def check_embedding(page: Page) -> None:
    np.testing.assert_allclose(strip(page, "embedding"), walk.embedding(anatomy(3), 2, 5).vector, rtol=6e-3)


def check_norms(page: Page) -> None:
    """Batch normalisation moves, and layer normalisation stays."""
    main, before = page.get_by_test_id("stMain"), {name: strip(page, name) for name in ("batch-norm", "layer-norm")}
    main.get_by_role("radio", name="8").or_(main.get_by_role("button", name="8", exact=True)).last.click()
    expect(main.get_by_text("batch normalisation, 8 in the batch")).to_be_visible()
    assert np.abs(strip(page, "batch-norm") - before["batch-norm"]).max() > 0.1
    np.testing.assert_array_equal(strip(page, "layer-norm"), before["layer-norm"])


def check_scores(page: Page) -> None:
    """The entropies, a query that meets a key, the slider of widths, and a layer chosen in the network."""
    main, scores, key = page.get_by_test_id("stMain"), walk.scores(anatomy(3), GRID.token(2, 5), 2), GRID.token(7, 3)
    table = main.locator("[data-draw=scaling] td").all_inner_texts()
    assert table[1] == f"{scores.entropy:.3g}" and table[4] == f"{scores.entropy_unscaled:.3g}"
    main.get_by_text("without", exact=True).first.click()
    expect(main.locator(".vw-facts dd").first).to_have_text(f"{scores.entropy_unscaled:.3g} nats")
    settled(page)

    meet = page.locator(".meet[data-ready]")
    meet.locator(".photo").hover(position=patch_at(page, 7, 3))
    expect(meet).to_have_attribute("data-key", str(key))
    found = [float(meet.get_attribute(f"data-{name}")) for name in ("product", "attention")]
    np.testing.assert_allclose(found, [scores.products[key], scores.attention[key]], rtol=5e-3)

    page.locator(".spread input").focus()
    page.keyboard.press("End")
    largest = {name: float(page.locator(f".spread .{name}").get_attribute("data-largest")) for name in WAYS}
    assert largest["without"] > 0.6 and largest["with"] < 0.3

    assert main.evaluate("main => main.scrollTop") > 0
    page.get_by_role("radio", name="layer 5").click()
    expect(page.locator(".place")).to_have_attribute("data-layer", "5")


def check_values(page: Page) -> None:
    """The stage after one that was scrolled down begins at its top."""
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == 0


def check_prediction(page: Page) -> None:
    best = np.argsort(CAT.probabilities)[::-1][:5]
    cells = page.get_by_test_id("stMain").locator("[data-draw=top] > span").all_inner_texts()
    assert cells[::2] == [SHIPPED.label(i).split(", ")[0] for i in best]
    shown = [float(cell.split(" %")[0]) for cell in cells[1::2]]
    np.testing.assert_allclose(shown, 100 * CAT.probabilities[best], atol=0.06)


ON_THE_WAY = {
    1: check_pixels,
    3: check_embedding,
    6: check_norms,
    8: check_scores,
    9: check_values,
    13: check_prediction,
}


def test_all_stages_by_next_and_by_keys_with_the_engines_numbers(app, open_page):
    page = open_page(f"{app}/walkthrough?lang=en&layer=3&head=2")
    for stage in range(1, len(STAGES) + 1):
        check_stage(page, stage, "en")
        if stage in ON_THE_WAY:
            ON_THE_WAY[stage](page)
            settled(page)
        if stage in ON_THE_WAY and stage < len(STAGES):  # a control that was used there keeps the keys
            page.get_by_role("button", name=re.compile("^Next: ")).click()
        elif stage < len(STAGES):
            page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    at_stage(page, len(STAGES) - 1)


def test_in_japanese_by_next_and_by_the_network(app, open_page):
    page = open_page(f"{app}/walkthrough?stage=12&lang=ja")
    check_stage(page, 12, "ja")
    page.get_by_role("button", name=re.compile("^次へ: ")).click()
    check_stage(page, 13, "ja")
    page.get_by_role("button", name=re.compile("^3 ")).click()
    check_stage(page, 3, "ja")
    expect(page).to_have_url(re.compile("stage=3"))


def test_the_address_opens_a_place_and_explore_follows_to_others(app, open_page):
    """And every other patch, head and layer changes the drawing."""
    page = open_page(f"{app}/walkthrough?stage=8&lang=en&layer=4&head=5&query=class")
    at_stage(page, 8)
    place, photo = page.locator(".place"), page.locator(".meet .photo")
    for name, value in (("token", 0), ("layer", 4), ("head", 5)):
        expect(place).to_have_attribute(f"data-{name}", str(value))
    seen, where = [drawing(page)], patch_at(page, 6, 1)
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


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address's query for the first three blocks of a trained DINOv2, which sees 1,369 patches."""
    whole, folder = local_data("vit-s14-saliency"), tmp_path_factory.mktemp("trained")
    config = json.loads((whole / "config.json").read_text("utf-8"))
    config["model_args"]["depth"] = 3
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    weights = load_file(whole / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not re.match(r"blocks\.([3-9]|1\d)\.", name)}
    save_file(kept, folder / "model.safetensors")
    return f"model={quote(str(folder))}"


@pytest.mark.parametrize("kind", ["registers", "classless", "trained"])
def test_other_families_in_a_shared_lesson(app, open_page, request, kind):
    """The sentence, a query and a key, the slider, and the spine on to the lesson's other stage."""
    given = REGISTERS if kind == "registers" else request.getfixturevalue(kind)
    vit, said, row, col = loaded(given), "Where does it look?", 2, 3
    grid, tour = vit.grid, Tour.of({8: said, 11: ""})
    token, key = grid.token(1, 1), grid.token(row, col)
    options = f"{given}&lesson={quote(tour.written())}"
    page = open_page(f"{app}/walkthrough?stage=8&lang=en&layer=2&head=1&query=1,1&{options}")
    expect(at_stage(page, 8).get_by_text(said)).to_be_visible()
    meet = page.locator(".meet[data-ready]")
    meet.locator(".photo").hover(position=patch_at(page, row, col, grid))
    expect(meet).to_have_attribute("data-key", str(key))
    scores = walk.scores(dissect(vit, vit.view(Image.fromarray(data.chelsea())), 2), token, 1)
    for shown, expected in (("product", scores.products), ("attention", scores.attention)):
        found = float(meet.get_attribute(f"data-{shown}"))
        np.testing.assert_allclose(found, expected[key], atol=2e-3 * np.abs(expected).max())
    page.locator(".spread input").focus()
    page.keyboard.press("End")
    without, divided = (float(page.locator(f".spread .{way}").get_attribute("data-largest")) for way in WAYS)
    assert without > 0.6 and divided < 0.3
    expect(page.get_by_role("button", name="9 Values")).to_have_count(0)
    page.get_by_role("button", name="11 MLP").click()
    at_stage(page, 11)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_lesson_is_shared_by_a_link_and_by_a_file(app, open_page, tmp_path):
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

    page.goto(link)
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

    with opened_offline(open_page, tmp_path / "lesson.html") as page:
        page.get_by_role("button", name="Next: Scores").click()
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.locator("section:visible math").first).to_be_visible()
        meet = page.locator(".meet[data-ready]")
        meet.locator(".photo").hover(position=patch_at(page, 7, 3))
        expect(meet).to_have_attribute("data-key", str(key))
        found = float(meet.get_attribute("data-attention"))
        scores = walk.scores(anatomy(3), token, 2)
        np.testing.assert_allclose(found, scores.attention[key], rtol=5e-3)
        entropy = page.locator("section:visible .vw-facts:visible dd").first
        expect(entropy).to_have_text(f"{scores.entropy:.3g} nats")
        page.get_by_role("button", name="without", exact=True).click()
        expect(entropy).to_have_text(f"{scores.entropy_unscaled:.3g} nats")


def walked() -> None:
    import streamlit as st

    from vizvit.pages.sidebar import choice
    from vizvit.pages.walkthrough import page as walkthrough

    st.session_state.choice = choice.choose()
    walkthrough.page()


def met(frame: bytes, cap: vizvit.Capture, key: int) -> tuple[float, float]:
    """q·k and the share of the attention, from what the browser gets of the place where one is."""
    at, blob = read_header(frame), body_of(frame)
    one, section = OneHead(cap, at["head"]), read_header(blob)["layers"][0]
    queries, keys = (halves(blob, section[n], (cap.num_tokens, section["head_dim"])) for n in ("queries", "keys"))
    mean = np.frombuffer(body_of(blob), np.float32, section["head_dim"], section["key_mean"])
    return queries[at["token"]] @ (keys[key] + mean), decoded_attention(blob, one, 0)[0, at["token"], key]


@pytest.mark.parametrize(
    ("model", "language", "absent", "classes"),
    [
        ("classless", "en", {"tokens"}, False),
        (f"model=eva02_tiny_patch14_224&{SMALL}", "en", set(), False),
        (f"model=deit_tiny_distilled_patch16_224&{SMALL}", "ja", set(), True),
        (REGISTERS, "en", set(), False),
    ],
)
def test_all_stages_of_other_families_and_in_japanese(request, model, language, absent, classes):
    """Without a browser: titles, differences to the model's own values, and what the browser makes stage 8 of."""
    given = request.getfixturevalue(model) if model == "classless" else model
    app = AppTest.from_function(walked, default_timeout=60)
    app.query_params |= dict(parse_qsl(given)) | {"lang": language}
    without, recomputed, kind = set(), set(), "softmax" if classes else "features"
    for number, stage in enumerate(STAGES, 1):
        app.session_state["walk"] = {"stage": number, "on_prefix": False, "patch": None}
        app.run()
        assert not app.exception, (stage.name, app.exception)
        assert not app.error
        handed = {part.proto.component_name: part.proto for part in app.get("bidi_component")}
        assert json.loads(handed["vizvit_walk_bar"].json)["title"] == lesson(stage.of(kind).lesson, language).title
        html = " ".join(str(part.proto) for part in app.get("bidi_component"))
        differences = [float(found) for found in re.findall(r"data-difference=\W*([\d.e+-]+)", html)]
        assert all(difference < 1e-4 for difference in differences), (stage.name, differences)
        recomputed |= {number} if differences else set()
        if app.info:
            without.add(stage.name)
            assert plain(loaded(given).name) in app.info[0].value
        if stage.name == "scores":
            vit, cap = app.session_state.choice.vit, app.session_state.choice.capture()
            frame, key = handed["vizvit_walk_meet"].bytes, vit.grid.token(2, 1)
            at = read_header(frame)
            scores = walk.scores(dissect(vit, cap.view, at["layer"]), at["token"], at["head"])
            found = met(frame, cap, key)
            for shown, expected in zip(found, (scores.products, scores.attention), strict=True):
                np.testing.assert_allclose(shown, expected[key], atol=2e-3 * np.abs(expected).max())
    assert without == absent
    unread = set() if classes else {"depth"}  # no classifier, no lens
    assert recomputed == {n for n in RECOMPUTED if STAGES[n - 1].name not in absent | unread}


def test_a_difference_that_is_more_than_rounding_is_red():
    assert 'class="vw-badge off"' in badge(2e-4)
    assert 'class="vw-badge"' in badge(2e-5)
