"""The app in English and in Japanese, and from one to the other."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from running import PLACES, explorer_of, settled
from skimage import data
from test_app import assert_nothing_sticks_out, choose_dot, go_to, jpeg, patch_position, picture_of, upload

import vizvit
from vizvit.model.snapshots import snapshots
from vizvit.texts import words
from vizvit.walk.lessons import LESSONS, lesson

pytestmark = pytest.mark.browser
NAVIGATION = {place: words("app", "ja")[place] for place in PLACES}


def sidebar(page: Page):
    return page.get_by_test_id("stSidebar")


def switch_to(page: Page, language: str) -> None:
    sidebar(page).get_by_role("radio", name=language, exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", {"English": "en", "日本語": "ja"}[language])
    settled(page)


def test_a_link_opens_in_japanese_and_switching_keeps_picture_model_and_patch(app, open_page):
    vit = vizvit.load_model("test_vit", weights="random")
    looks_at = "image=rocket&model=test_vit&weights=random&layer=3&head=1&query=2,5"
    page = open_page(f"{app}/?lang=ja&{looks_at}")
    root = explorer_of(page)
    expect(root).to_have_attribute("data-layer", "3")
    expect(root).to_have_attribute("data-head", "1")
    expect(root).to_have_attribute("data-query", str(vit.grid.token(2, 5)))
    for title in NAVIGATION.values():
        expect(page.get_by_role("link", name=title, exact=True)).to_be_visible()
    parameters = f"パラメータ {vit.num_parameters / 1e6:.1f} M"
    for text in ("写真をドロップ", "モデルの設定", "サンプルから選ぶ", "宇宙飛行士", parameters):
        expect(sidebar(page).get_by_text(text).first).to_be_visible()
    expect(root.get_by_text("この層のヘッド").first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page).to_have_url(re.compile("lang=ja"))

    go_to(page, NAVIGATION["rollout"])
    expect(page.get_by_role("heading", name="アテンションロールアウト")).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text("test_vit").first).to_be_visible()
    upload(page, jpeg(data.coffee()))
    go_to(page, NAVIGATION["explore"])
    expect(explorer_of(page)).to_have_attribute("data-query", str(vit.grid.token(2, 5)))
    picture_of(page).click(position=patch_position(page, 3, 5, vit.grid))
    page.mouse.move(5, 5)
    expect(page).to_have_url(re.compile(r"query=3%2C5|query=3,5"))
    token = str(vit.grid.token(3, 5))
    settled(page)

    switch_to(page, "English")
    expect(page).not_to_have_url(re.compile("lang="))
    expect(page.get_by_role("link", name="Rollout")).to_be_visible()
    expect(sidebar(page).get_by_role("img", name="The chosen picture, photo.jpg")).to_be_visible()
    expect(sidebar(page).get_by_text("untrained weights").first).to_be_visible()
    expect(sidebar(page).get_by_text("10×10 patches of 16 px")).to_be_visible()
    expect(sidebar(page).get_by_role("alert")).to_have_count(0)
    root = explorer_of(page)
    expect(root.get_by_text("heads of this layer").first).to_be_visible()
    expect(root).to_have_attribute("data-query", token)

    go_to(page, "Rollout")
    expect(page.get_by_role("heading", name="Attention rollout")).to_be_visible()
    switch_to(page, "日本語")
    expect(page.get_by_role("heading", name="アテンションロールアウト")).to_be_visible()
    expect(page).to_have_url(re.compile("lang=ja"))
    go_to(page, NAVIGATION["explore"])
    expect(explorer_of(page)).to_have_attribute("data-query", token)
    expect(page).to_have_url(re.compile("lang=ja"))


def test_choices_and_downloads_of_a_rollout_whose_words_survive_a_change_of_language(app, open_page):
    vit = vizvit.load_model(weights=snapshots("vizvit-tiny")[1].weights, image_size=32)
    page = open_page(f"{app}/?training=1&height=32")
    explorer_of(page)
    picture_of(page).click(position=patch_position(page, 2, 6, vit.grid))
    expect(page).to_have_url(re.compile("query=2"))
    go_to(page, "Rollout")
    expect(page.locator(".vizvit")).to_have_count(0)  # the explorer has boxes to choose from and a "max" too
    main = page.get_by_test_id("stMain")
    main.get_by_role("combobox", name="Read at").click()
    page.get_by_role("option", name=re.compile("pinned in Explore")).click()
    expect(main.get_by_text("read at the patch at row 2, column 6").first).to_be_visible()
    settled(page)
    picture = main.get_by_role("img", name=re.compile("Attention rollout"))
    before = picture.get_attribute("src")
    main.get_by_role("radio", name="max").click()
    expect(main.get_by_text("max over heads").first).to_be_visible()
    expect(picture).not_to_have_attribute("src", before)
    settled(page)

    main.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Numbers, NPZ").click()
    with np.load(download.value.path()) as numbers:
        expected = vizvit.rollout(vizvit.capture(vit, data.chelsea()), head_fusion="max", token=vit.grid.token(2, 6))
        np.testing.assert_allclose(numbers["rollout"], expected, rtol=1e-4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Figure, PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    page.keyboard.press("Escape")

    for language, parts in (
        ("日本語", ("行 2、列 6 のパッチで読み取り", "ヘッドは最大で統合", "学習スナップショット")),
        ("English", ("read at the patch at row 2, column 6", "max over heads", "training snapshot at epoch")),
    ):
        switch_to(page, language)
        for part in parts:
            expect(main.get_by_text(part).first).to_be_visible()
        expect(sidebar(page).get_by_role("slider")).to_have_value("1")
    go_to(page, "Explore")
    expect(page).to_have_url(re.compile("training=1"))


STILL = "() => document.getAnimations().every(one => !(one instanceof CSSTransition))"
CUT_OFF = """groups => groups
    .filter(group => group.getBoundingClientRect().right > 0)  // a folded sidebar lies left of the window
    .filter(group => group.scrollWidth > group.clientWidth + 1)
    .map(group => group.textContent)"""


def assert_no_choice_is_cut_off(page: Page) -> None:
    page.wait_for_function(STILL)  # the sidebar becomes wide and narrow by and by, and what is in it with it
    assert page.locator("[role=radiogroup]").evaluate_all(CUT_OFF) == []


def test_all_pages_are_in_the_browsers_language_and_show_their_pictures(app, open_page):
    page = open_page(f"{app}/?height=32", locale="ja-JP")
    for place in PLACES:
        go_to(page, NAVIGATION[place])
        if place == "explore":
            explorer_of(page)
        elif place == "walkthrough":
            expect(page.get_by_role("heading", level=1)).to_have_text(lesson(LESSONS[0], "ja").title)
        else:
            heading = words(place, "ja")["title"]
            expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()
        if place not in ("explore", "walkthrough", "studies"):
            main = page.get_by_test_id("stMain")
            expect(main.get_by_test_id("stImage").first).to_be_visible()
            expect(main.get_by_text("vizvit-tiny").first).to_be_visible()
        assert_no_choice_is_cut_off(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        if place == "positions":
            page.locator(".picker").focus()
            page.keyboard.press("ArrowRight")
            expect(page.get_by_role("heading", name="行 4、列 5")).to_be_visible()  # from the middle of 8 × 8
            settled(page)
        elif place == "heads":  # before the window becomes another one, which moves the dots for a while
            choose_dot(page, "層: 2")
            expect(page.get_by_role("heading", name=re.compile("層 2、ヘッド"))).to_be_visible()
            settled(page)
        for width in (390, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            settled(page)
            assert_nothing_sticks_out(page)
            assert_no_choice_is_cut_off(page)
        expect(page).not_to_have_url(re.compile("lang="))
        if place == "heads":
            page.get_by_role("button", name="このヘッドを探索で開く").click()
            expect(explorer_of(page)).to_have_attribute("data-layer", "2")
            settled(page)
