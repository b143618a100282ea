"""The app in English and in Japanese, and from one to the other."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from running import PLACES, explorer_of, settled
from shipped import SHIPPED
from skimage import data
from test_app import jpeg, patch_position, picture_of, upload

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


def test_a_link_opens_in_japanese(app, open_page):
    page = open_page(f"{app}/?lang=ja")
    root = explorer_of(page)
    for title in NAVIGATION.values():
        expect(page.get_by_role("link", name=title, exact=True)).to_be_visible()
    parameters = f"パラメータ {SHIPPED.num_parameters / 1e6:.1f} M"
    for text in ("写真をドロップ", "モデルの設定", "サンプルから選ぶ", "宇宙飛行士", parameters):
        expect(sidebar(page).get_by_text(text).first).to_be_visible()
    expect(root.get_by_text("この層のヘッド").first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ja")


def test_switching_keeps_picture_model_and_patch(app, open_page):
    page = open_page(f"{app}/?lang=ja&model=vit_tiny_patch16_224&weights=random")
    root = explorer_of(page)
    expect(page).to_have_url(re.compile("lang=ja"))
    upload(page, jpeg(data.coffee()))
    box = picture_of(page).bounding_box()
    picture_of(page).click(position={"x": 5.5 / 14 * box["width"], "y": 3.5 / 14 * box["height"]})
    page.mouse.move(5, 5)
    expect(page).to_have_url(re.compile(r"query=3%2C5|query=3,5"))
    token = root.get_attribute("data-query")
    settled(page)

    switch_to(page, "English")
    expect(page).not_to_have_url(re.compile("lang="))
    expect(page.get_by_role("link", name="Rollout")).to_be_visible()
    expect(sidebar(page).get_by_role("img", name="The chosen picture, photo.jpg")).to_be_visible()
    expect(sidebar(page).get_by_text("untrained weights").first).to_be_visible()
    expect(sidebar(page).get_by_text("14×14 patches of 16 px")).to_be_visible()
    expect(sidebar(page).get_by_role("alert")).to_have_count(0)
    root = explorer_of(page)
    expect(root.get_by_text("heads of this layer").first).to_be_visible()
    expect(root).to_have_attribute("data-query", token)

    page.get_by_role("link", name="Rollout").click()
    settled(page)
    expect(page.get_by_role("heading", name="Attention rollout")).to_be_visible()
    settled(page)
    switch_to(page, "日本語")
    expect(page.get_by_role("heading", name="アテンションロールアウト")).to_be_visible()
    expect(page).to_have_url(re.compile("lang=ja"))
    page.get_by_role("link", name="探索").click()
    settled(page)
    expect(explorer_of(page)).to_have_attribute("data-query", token)
    expect(page).to_have_url(re.compile("lang=ja"))


def test_choices_named_by_words_survive_a_change_of_language(app, open_page):
    page = open_page(f"{app}/?training=1")
    explorer_of(page)
    picture_of(page).click(position=patch_position(page, 2, 6))
    expect(page).to_have_url(re.compile("query=2"))
    page.get_by_role("link", name="Rollout").click()
    settled(page)
    expect(page.locator(".vizvit")).to_have_count(0)  # the explorer has boxes to choose from too
    main = page.get_by_test_id("stMain")
    main.get_by_role("combobox", name="Read at").click()
    page.get_by_role("option", name=re.compile("pinned in Explore")).click()
    expect(main.get_by_text("read at the patch at row 2, column 6").first).to_be_visible()
    main.get_by_role("radio", name="max").click()
    expect(main.get_by_text("max over heads").first).to_be_visible()
    settled(page)

    for language, parts in (
        ("日本語", ("行 2、列 6 のパッチで読み取り", "ヘッドは最大で統合", "学習スナップショット")),
        ("English", ("read at the patch at row 2, column 6", "max over heads", "training snapshot at epoch")),
    ):
        switch_to(page, language)
        for part in parts:
            expect(main.get_by_text(part).first).to_be_visible()
        expect(sidebar(page).get_by_role("slider")).to_have_value("1")
    page.get_by_role("link", name="Explore").click()
    settled(page)
    expect(page).to_have_url(re.compile("training=1"))


@pytest.mark.parametrize(("locale", "title"), [("ja-JP", "探索"), ("ja", "探索"), ("fr-FR", "Explore")])
def test_the_browsers_language_comes_first(app, open_page, locale, title):
    page = open_page(app, locale=locale)
    explorer_of(page)
    expect(page.get_by_role("link", name=title, exact=True)).to_be_visible()
    expect(page).not_to_have_url(re.compile("lang="))


def test_a_link_goes_before_the_browsers_language_and_nonsense_does_not(app, open_page):
    page = open_page(f"{app}/?lang=en", locale="ja-JP")
    expect(page.get_by_role("link", name="Explore", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("lang=en"))
    page = open_page(f"{app}/?lang=tlh", locale="ja-JP")
    expect(page.get_by_role("link", name="探索", exact=True)).to_be_visible()


def test_all_pages_in_japanese(app, open_page):
    page = open_page(f"{app}/?lang=ja&height=32")
    for place in PLACES:
        page.get_by_role("link", name=NAVIGATION[place], exact=True).click()
        settled(page)
        if place == "explore":
            explorer_of(page)
        elif place == "walkthrough":
            expect(page.get_by_role("heading", level=1)).to_have_text(lesson(LESSONS[0], "ja").title)
        else:
            heading = words(place, "ja")["title"]
            expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        for width in (390, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_tile_and_a_dot_are_chosen_in_japanese(app, open_page):
    page = open_page(f"{app}/positions?lang=ja")
    page.locator(".picker").focus()
    page.keyboard.press("ArrowRight")
    grid = SHIPPED.grid
    expect(page.get_by_role("heading", name=f"行 {grid.rows // 2}、列 {grid.cols // 2 + 1}")).to_be_visible()
    settled(page)
    page.get_by_role("link", name="ヘッド", exact=True).click()
    settled(page)
    dot = page.locator("[data-testid=stVegaLiteChart] [aria-label^='層: 2;'][aria-roledescription=circle]").last
    dot.click(force=True)
    heading = page.get_by_role("heading", name=re.compile("層 2、ヘッド"))
    expect(heading).to_be_visible()
    settled(page)
    page.get_by_role("button", name="このヘッドを探索で開く").click()
    expect(explorer_of(page)).to_have_attribute("data-layer", "2")


def test_errors_lead_in_in_japanese(app, open_page):
    page = open_page(f"{app}/?lang=ja&image=dodo&height=tall&model=deit_tiny_distilled_patch16_224")
    explorer_of(page)
    expect(sidebar(page).get_by_text("サンプル画像「dodo」はありません")).to_be_visible()
    expect(sidebar(page).get_by_text(re.compile("モデルを読み込めませんでした。入力サイズは整数"))).to_be_visible()
    expect(sidebar(page).get_by_text("代わりに vizvit-tiny を表示しています。")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nnot really"}
    )
    expect(sidebar(page).get_by_text("broken.png を読み込めませんでした。")).to_be_visible()
