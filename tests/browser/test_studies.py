"""The page of studies: what it shows is what the study found, and a head of the list opens in the explorer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
import timm
import torch
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from running import ROOT, explorer_of, settled
from skimage import data
from streamlit.testing.v1 import AppTest

import vizvit
from vizvit import study
from vizvit.numbers import decimals, fixed
from vizvit.study import table
from vizvit.study.written import difference_text, places_of

pytestmark = pytest.mark.browser
METHODS = ("attention", "relevance", "random", "centre")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three pictures, and of one that cannot be read."""
    pictures, out = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("study")
    for name in ("astronaut", "chelsea", "coffee"):
        Image.fromarray(getattr(data, name)()).resize((64, 64)).save(pictures / f"{name}.png")
    (pictures / "torn.png").write_bytes(b"\x89PNG torn")
    vit = vizvit.load_model("vizvit-tiny", device="cpu")
    study.run(vit, [pictures], out, study.Settings(METHODS, faithfulness=True, steps=2))
    return out


@pytest.fixture(scope="module")
def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text("utf-8"))


def opened(open_page, app: str, folder: Path | str, more: str = "", **options) -> Page:
    page = open_page(f"{app}/studies?study={quote(str(folder))}{more}", **options)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settled(page)
    return page


def shows(page: Page, layer: int, head: int) -> None:
    """The explorer, at this head."""
    root = explorer_of(page)
    expect(root).to_have_attribute("data-layer", str(layer))
    expect(root).to_have_attribute("data-head", str(head))
    settled(page)


def main_of(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def test_the_numbers_are_the_studys_and_a_dot_finds_the_heads_like_it(browser, app, open_page, folder, summary):
    check_report(browser, folder)
    page = opened(open_page, app, folder)
    main = main_of(page)
    expect(main.get_by_text("3 pictures through vizvit-tiny (shipped weights)")).to_be_visible()
    main.get_by_text("Left out of the means: 1 of 4 pictures").click()
    expect(main.get_by_text("torn.png:")).to_be_visible()

    rows = main.locator(".vz-areas tbody tr")
    expect(rows).to_have_count(len(METHODS))
    apart = {name: found["insertion"]["mean"] - found["deletion"]["mean"] for name, found in summary["methods"].items()}
    titles = {"attention": "Attention", "relevance": "Relevance", "random": "Random order", "centre": "Centre first"}
    expected = {name: cells for name, *cells in table.cells(summary)[1:]}
    for place, name in enumerate(sorted(apart, key=apart.get, reverse=True)):
        shown = rows.nth(place).locator("td").all_text_contents()
        assert shown[0].startswith(titles[name])
        assert shown[1:] == expected[name]
        assert shown[1].startswith(f"{summary['methods'][name]['deletion']['mean']:.3f}")

    dots = main.locator("[data-testid=stVegaLiteChart] [aria-roledescription=circle]")
    expect(dots).to_have_count(summary["layers"] * summary["heads_per_layer"])
    for name in ("report.html", "pictures.parquet"):
        with page.expect_download() as started:
            main.get_by_role("button", name=name).click()
        assert Path(started.value.path()).read_bytes() == (folder / name).read_bytes()
    expect(page.get_by_test_id("stException")).to_have_count(0)

    means = summary["heads"]["distance"]["mean"]
    dot = dots.nth(2 * summary["heads_per_layer"] + 1)
    dot.hover()
    tip = page.locator("#vg-tooltip-element")
    expect(tip).to_be_visible()
    told = fixed(means[2][1], decimals(mean for row in means for mean in row))
    assert tip.inner_text().split()[:6] == ["layer", "2", "head", "1", "mean", told]
    dot.click()
    expect(page).to_have_url(re.compile("find=like&like=2%2C1"))
    alike = study.sweep(folder, "distance", 10, like=(2, 1))
    places = places_of("distance", [mean for row in means for mean in row], [head.difference for head in alike])
    for number, head in enumerate(alike[:2], 1):
        row = main.locator(f".st-key-study_row_{number}")
        expect(row).to_contain_text(f"Layer {head.layer}, head {head.head}")
        expect(row).to_contain_text(difference_text("distance", head, places))
    expect(main.get_by_role("table").get_by_text("Layer 2, head 1")).to_be_visible()

    main.get_by_role("combobox", name="layer").click()  # without a mouse on the dots
    page.get_by_role("option", name="4", exact=True).click()
    expect(page).to_have_url(re.compile("like=4%2C1"))
    settled(page)
    heads = main.get_by_role("spinbutton", name="Heads")
    heads.fill("99")
    heads.press("Enter")
    expect(heads).to_have_value(str(summary["layers"] * summary["heads_per_layer"]))
    settled(page)
    main.get_by_role("button", name="Open this head in Explore").click()
    shows(page, 4, 1)


def test_heads_of_the_list_and_of_one_picture_lead_to_each_other(app, open_page, folder, summary):
    page = opened(open_page, app, folder)
    main = main_of(page)
    main.get_by_role("radio", name="Mean entropy", exact=True).click()
    main.get_by_role("radio", name="lowest", exact=True).click()
    heads = study.sweep(folder, "entropy", 10, lowest=True)
    expect(main.get_by_text("The 10 heads lowest in “Mean entropy”")).to_be_visible()
    settled(page)
    assert heads[0].mean == min(min(layer) for layer in summary["heads"]["entropy"]["mean"])
    expect(page).to_have_url(re.compile("measure=entropy.*find=lowest"))
    for place, head in enumerate(heads, 1):
        row = main.locator(f".st-key-study_row_{place}")
        expect(row).to_contain_text(f"Layer {head.layer}, head {head.head}")
        expect(row).to_contain_text(f"{head.mean:.2f} ± {head.spread:.2f}")
    wanted = next(head for head in heads if (head.layer, head.head) != (summary["layers"] - 1, 0))
    main.get_by_role("button", name=f"Layer {wanted.layer}, head {wanted.head}", exact=True).click()
    shows(page, wanted.layer, wanted.head)
    page.go_back()
    settled(page)
    expect(main.get_by_role("textbox", name="Folder of the study")).to_have_value(str(folder))
    expect(main.get_by_text("The 10 heads lowest in “Mean entropy”")).to_be_visible()
    expect(page).to_have_url(re.compile("study="))
    settled(page)

    page.get_by_role("link", name="Heads", exact=True).click()
    settled(page)
    main.get_by_role("radio", name="Mean entropy", exact=True).click()
    main.get_by_role("button", name="Find heads like this one in the study").click()
    expect(main.get_by_text("The 10 heads most like it in “Mean entropy”")).to_be_visible()
    expect(page).to_have_url(re.compile(f"measure=entropy.*like={wanted.layer}%2C{wanted.head}"))
    settled(page)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> dict[str, Path]:
    """Studies of models that the app does not begin with, by name: each of one picture."""
    place = tmp_path_factory.mktemp("others")
    module = timm.create_model("test_vit", num_classes=4)
    (place / "model").mkdir()
    timm.models.save_for_hf(module, place / "model")
    torch.save(module.state_dict(), place / "best.pth")
    (place / "pictures").mkdir()
    Image.fromarray(data.chelsea()).save(place / "pictures" / "cat.png")
    options = {
        "folder": {"name": place / "model"},
        "checkpoint": {"name": place / "best.pth", "arch": "test_vit"},
        "size": {"name": "vizvit-tiny", "image_size": 48},
    }
    for name, given in options.items():
        study.run(vizvit.load_model(**given, device="cpu"), [place / "pictures"], place / name)
    return {name: place / name for name in options}


def studied() -> None:
    """The app, opened at the studies."""
    import streamlit as st

    from vizvit.pages.explore import page as explore
    from vizvit.pages.sidebar import choice
    from vizvit.pages.studies import page as studies

    st.session_state.pages = {"explore": st.Page(explore.page, url_path="explore")}
    st.session_state.pages["studies"] = st.Page(studies.page, url_path="studies", default=True)
    page = st.navigation(list(st.session_state.pages.values()))
    st.session_state.choice = choice.choose()
    page.run()


def test_a_link_and_a_button_open_the_studys_own_model(app, open_page, others):
    """Each kind of model by both; in the browser a folder's link, and from there the button of another size."""
    heads = {name: study.sweep(place, "distance", 2)[1] for name, place in others.items()}
    patches = {"folder": "10×10 patches", "checkpoint": "10×10 patches", "size": "12×12 patches"}

    def in_explorer(shown: AppTest, name: str) -> None:
        assert not shown.exception
        assert any(patches[name] in caption.value for caption in shown.sidebar.caption)
        chosen, head = shown.session_state.selection, heads[name]
        assert (chosen["layer"], chosen["head"]) == (head.layer, head.head)
        facts = shown.session_state.choice.vit.facts()
        assert facts == {key: study.read_summary(others[name])[key] for key in facts}

    for name in ("checkpoint", "size"):
        linked = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        linked.query_params |= dict(parse_qsl(heads[name].link.lstrip("?")))
        in_explorer(linked.run(), name)
    for name in ("checkpoint", "folder"):
        page = AppTest.from_function(studied, default_timeout=60)
        page.query_params["study"] = str(others[name])
        button = page.run().button(key=f"study_open_{heads[name].layer}_{heads[name].head}")
        in_explorer(button.click().run(), name)

    page = open_page(f"{app}/{heads['folder'].link}")
    main, sidebar = main_of(page), page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text(patches["folder"])).to_be_visible()
    shows(page, heads["folder"].layer, heads["folder"].head)
    page.get_by_role("link", name="Studies", exact=True).click()
    folder = main.get_by_role("textbox", name="Folder of the study")
    folder.fill(str(others["size"]))
    folder.press("Enter")
    expect(main.get_by_text("input 48×48 px")).to_be_visible()  # the study before it is of another model, too
    settled(page)
    main.locator(".st-key-study_row_2").get_by_role("button").click()
    expect(sidebar.get_by_text(patches["size"])).to_be_visible()
    shows(page, heads["size"].layer, heads["size"].head)


def check_report(browser: Browser, folder: Path) -> None:
    """It fits a phone and fetches nothing."""
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark", offline=True)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "report.html").as_uri())
    settled(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    heights = page.evaluate("[...document.querySelectorAll('td')].map(cell => cell.getClientRects()[0].height)")
    dark = page.evaluate(
        "[...document.images].every(image => image.currentSrc === image.parentNode.children[0].srcset)"
    )
    count = page.locator("figure").count()
    context.close()
    assert width == 390
    assert [url for url in asked if not url.startswith("data:")] == [(folder / "report.html").as_uri()]
    assert paper == "rgb(14, 17, 23)"
    assert max(heights) < 40  # a number and its spread are on one line
    assert dark
    assert count == 5


def test_a_link_keeps_what_was_found_and_the_studys_model_can_be_chosen(app, open_page):
    """In the study that comes with the app."""
    page = opened(open_page, app, "", "&measure=entropy&find=lowest&training=1")
    main = main_of(page)
    expect(main.get_by_text("The 10 heads lowest in “Mean entropy”")).to_be_visible()
    expect(main.get_by_text("but the sidebar has")).to_be_visible()
    main.get_by_role("button", name="Choose vizvit-tiny").click()
    expect(main.get_by_text("but the sidebar has")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("training="))
    settled(page)


def test_in_japanese_on_a_large_screen_and_on_a_phone(app, open_page):
    page = opened(open_page, app, "", "&lang=ja", viewport={"width": 1600, "height": 900})
    main = main_of(page)
    expect(main.get_by_role("heading", name="多数の画像での調査")).to_be_visible()
    expect(main.get_by_text("「距離」が大きい 10 ヘッド")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    beyond = "main => main.scrollWidth - main.clientWidth"  # Streamlit scrolls here, not the document
    assert main.evaluate(beyond) <= 0
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("main => main.clientWidth > 350 && main.clientWidth <= 390", arg=main.element_handle())
    page.wait_for_function(f"main => ({beyond})(main) <= 0", arg=main.element_handle())
