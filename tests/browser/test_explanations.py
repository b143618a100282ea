"""The page of explanations in the browser: its maps, curves and areas are the library's; its work can be stopped."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from running import settled
from skimage import data
from streamlit.testing.v1 import AppTest
from test_language import switch_to

import vizvit
from vizvit.explanations import METHODS, contrast, explain
from vizvit.numbers import change
from vizvit.pages.explanations import panels
from vizvit.pages.shared.look import plain

pytestmark = pytest.mark.browser
SMALL = "height=8&width=16"  # of few patches: what takes hundreds of passes, here and there, is soon done
VIT = vizvit.load_model("vizvit-tiny", image_size=(8, 16))
CAP = vizvit.capture(VIT, data.chelsea())
BEST = [int(index) for index in np.argsort(CAP.probabilities)[::-1][:5]]
ALL = f"{2 * 12 * 12 * 12:,}"  # passes at 48 pixels, patch by patch: 2 curves each of 12 maps and orders
PHONE = {"width": 390, "height": 844}
SHOWN = [name for name, method in METHODS.items() if not method.control]


def opened(open_page, app: str, query: str = "", **options) -> Page:
    page = open_page(f"{app}/explanations?{query}", **options)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    finished(page)
    return page


def finished(page: Page) -> None:
    settled(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def main_of(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def numbers(page: Page, nth: int) -> dict[str, np.ndarray]:
    """What the nth of the page's downloads holds."""
    finished(page)
    main_of(page).get_by_role("button", name="Download", exact=True).nth(nth).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Numbers, NPZ").click()
    found = dict(np.load(io.BytesIO(download.value.path().read_bytes())))
    page.keyboard.press("Escape")
    return found


def name_of(index: int) -> str:
    return VIT.label(index).split(", ")[0]


def measured(page: Page) -> None:
    main_of(page).get_by_role("button", name="Measure").click()
    expect(main_of(page).locator(".vz-areas")).to_be_visible()
    finished(page)


def row(page: Page, title: str) -> list[float]:
    """A map's deletion, insertion and difference in the table of areas."""
    cells = main_of(page).locator(".vz-areas tbody tr").filter(has=page.get_by_text(title, exact=True)).locator("td")
    return [float(text.split()[0].replace("−", "-")) for text in cells.all_inner_texts()[1:]]


def choose_method(page: Page, name: str) -> None:
    box = main_of(page).get_by_role("combobox", name="Method").first
    box.fill(name)
    box.press("Enter")
    expect(main_of(page).get_by_role("heading", name=re.compile(f"^{name}"))).to_be_visible()
    finished(page)


def test_methods_side_by_side_and_their_sanity_check_are_the_librarys(app, open_page):
    page = opened(open_page, app, SMALL)
    main = main_of(page)
    expect(main.get_by_role("img", name=re.compile("map over the picture"))).to_have_count(len(SHOWN))
    expect(main.get_by_text("for this class", exact=True)).to_have_count(5)
    expect(main.get_by_text("same for every class", exact=True)).to_have_count(2)
    found = numbers(page, 0)
    assert found["target"] == BEST[0]
    for method in SHOWN:
        np.testing.assert_allclose(found[method], explain(VIT, CAP.view, method), rtol=1e-4, atol=1e-7)

    main.get_by_role("button", name="Randomise").click()
    dots = main.locator("[data-testid=stVegaLiteChart] [aria-roledescription=circle]")
    expect(dots).to_have_count(VIT.num_layers + 1)
    expect(main.get_by_text("classifier", exact=True)).to_be_visible()
    found = numbers(page, 1)
    expected = vizvit.weight_randomisation(VIT, CAP.view, "relevance", target=BEST[0])
    np.testing.assert_allclose(found["relevance_correlation"], expected.correlation, atol=1e-3)
    np.testing.assert_array_equal(found["blocks"], expected.blocks)

    main.get_by_role("radio", name="all alike").click()
    expect(main.get_by_text("share", exact=True)).to_have_count(len(SHOWN))
    expect(page).to_have_url(re.compile("maps=alike"))
    finished(page)


def test_one_method_for_the_likeliest_classes_and_one_found_by_name_and_back_leaves_the_page(app, open_page):
    page = open_page(f"{app}/heads?{SMALL}")
    main = main_of(page)
    expect(page.get_by_role("heading", name="Heads", level=1)).to_be_visible()
    page.get_by_role("link", name="Explanations").first.click()
    finished(page)
    main.get_by_role("radio", name="Classes").click()
    expect(page).to_have_url(re.compile("view=classes"))
    finished(page)
    choose_method(page, "Grad-CAM")
    wanted = VIT.class_index("Chihuahua")
    assert wanted not in BEST
    search = main.get_by_role("combobox", name=re.compile("Any of 200 classes"))
    search.fill("chihua")
    search.press("Enter")
    expect(page).to_have_url(re.compile(f"class={wanted}"))
    six_maps(page)
    found = numbers(page, 0)
    for index in (*BEST, wanted):
        heat = explain(VIT, CAP.view, "grad_cam", target=index)
        np.testing.assert_allclose(found[f"class_{index}"], heat, rtol=1e-4, atol=1e-7)
    link = page.url.partition("?")[2]

    main.get_by_role("radio", name="This, not that").click()
    expect(page).to_have_url(re.compile("view=contrast"))
    finished(page)
    page.go_back()
    finished(page)
    expect(page.get_by_role("heading", name="Heads", level=1)).to_be_visible()
    finished(page)

    page.set_viewport_size(PHONE)
    page.goto(f"{app}/explanations?{link}")
    six_maps(page)
    expect(main.get_by_text(name_of(wanted), exact=True)).to_be_visible()
    fits(page, "Explanations")


def six_maps(page: Page) -> None:
    maps = main_of(page).get_by_role("img", name=re.compile(r"map over the picture \(Grad-CAM\)"))
    expect(maps).to_have_count(6)
    finished(page)


def fits(page: Page, title: str) -> None:
    """On a phone there is nothing to the right of the screen."""
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_this_and_not_that_and_a_change_of_language_keeps_what_is_chosen(app, open_page):
    this, that = BEST[2], BEST[1]
    page = opened(open_page, app, f"{SMALL}&view=contrast&class={this}&other={that}")
    main = main_of(page)
    expect(main.get_by_text(f"why “{name_of(this)}” and not “{name_of(that)}”?")).to_be_visible()
    heat = contrast(VIT, CAP.view, "relevance", this, that)
    np.testing.assert_allclose(numbers(page, 0)["contrast"], heat, rtol=1e-4, atol=1e-7)
    main.get_by_role("radio", name=re.compile(name_of(BEST[0]))).last.click()
    expect(page).not_to_have_url(re.compile("other="))
    expect(main.get_by_text(f"and not “{name_of(BEST[0])}”?")).to_be_visible()
    finished(page)
    choose_method(page, "Integrated gradients")
    switch_to(page, "日本語")
    expect(main.get_by_text("統合勾配: なぜ")).to_be_visible()
    finished(page)


def test_in_japanese_on_a_phone(app, open_page):
    page = opened(open_page, app, f"{SMALL}&lang=ja&view=classes", viewport=PHONE)
    fits(page, "判断根拠")


def test_curves_and_areas_are_the_librarys(app, open_page):
    page = opened(open_page, app, f"{SMALL}&view=classes&fill=black")
    expect(main_of(page).get_by_role("radio", name="black", exact=True)).to_be_checked()
    measured(page)
    apart = []
    for index in BEST:  # each map's curves follow its own class
        how = {"target": index, "steps": VIT.grid.num_patches, "fill": "black"}
        curves = vizvit.faithfulness(VIT, CAP.view, explain(VIT, CAP.view, "relevance", target=index), **how)
        centre = vizvit.faithfulness(VIT, CAP.view, explain(VIT, CAP.view, "centre"), **how)
        apart.append(change(curves.deletion_area, curves.insertion_area, 3))
        expected = [curves.deletion_area, curves.insertion_area, apart[-1]]
        expected += [centre.insertion_area - centre.deletion_area]
        deletion, insertion, between, by_chance, from_centre = row(page, name_of(index))
        assert [deletion, insertion, between, from_centre] == pytest.approx(expected, abs=6e-4), name_of(index)
        if index in (BEST[0], BEST[-1]):  # most of the passes
            chance = vizvit.random_curves(VIT, CAP.view, **how)
            assert by_chance == pytest.approx(change(chance.deletion_area, chance.insertion_area, 3), abs=6e-4)
    table = main_of(page).locator(".vz-areas tbody td:nth-child(4)").all_inner_texts()
    assert [float(text.replace("−", "-")) for text in table] == pytest.approx(sorted(apart, reverse=True), abs=6e-4)
    found = numbers(page, 1)
    np.testing.assert_allclose(found[f"class_{BEST[-1]}_random_deletion"], chance.deletion, atol=1e-5)
    np.testing.assert_allclose(found[f"class_{BEST[-1]}_random_insertion"], chance.insertion, atol=1e-5)
    charts = main_of(page).locator("[data-testid=stVegaLiteChart]:not(.st-key-explanation_checked *)")
    expect(charts).to_have_count(2)  # a sanity check may be there, too: what a session has made is every session's


def test_a_measurement_is_stopped_and_goes_on_where_it_stood(app, open_page):
    page = opened(open_page, app, "view=contrast&steps=all&height=48")
    main = main_of(page)
    main.get_by_role("button", name="Measure").click()
    begun(page)
    main.get_by_role("button", name="Cancel").click()
    stopped = main.get_by_text(re.compile(rf"of {ALL} forward passes are done\."))
    expect(stopped).to_be_visible()
    finished(page)  # the run is over: nothing is measured any more
    expect(main.locator(".vz-areas")).to_have_count(0)
    expect(main.get_by_test_id("stVegaLiteChart")).to_have_count(2)  # what there is of the curves
    done = passes(stopped)
    main.get_by_role("button", name="Continue").click()
    growing = begun(page)
    assert passes(growing) >= done
    main.get_by_role("radio", name="all alike").click()  # a click on something else starts nothing anew
    expect(main.get_by_text("All maps are coloured alike")).to_be_visible()
    expect(growing).not_to_have_text(re.compile(rf"^{done:,} of"))  # the batch under way ended with the click
    assert passes(growing) > done
    main.get_by_role("button", name="Cancel").click()
    finished(page)


def begun(page: Page) -> Locator:
    """What says how far the measurement is, once some of it is done: looked for often, since it goes on meanwhile."""
    some = "some => document.querySelector('[data-testid=stProgress]')?.innerText.match(some)"
    page.wait_for_function(some, arg=rf"[1-9]\d* of {ALL} forward passes", polling=50)
    return page.get_by_test_id("stProgress")


def passes(text: Locator) -> int:
    return int(text.inner_text().split()[0].replace(",", ""))


def test_a_model_without_classes_says_so_and_keeps_two_maps(app, open_page, classless):
    page = opened(open_page, app, classless)
    main = main_of(page)
    expect(main.get_by_text("the two maps that know no classes remain")).to_be_visible()
    expect(main.get_by_text("The weights are untrained.")).to_be_visible()
    expect(main.get_by_role("img", name=re.compile("map over the picture"))).to_have_count(2)
    expect(main.get_by_text("there is no probability to follow")).to_be_visible()
    finished(page)


def test_what_takes_long_is_made_on_demand(app, open_page):
    page = opened(open_page, app, "model=vit_tiny_patch16_224&weights=random&height=304")
    main = main_of(page)
    expect(main.get_by_text("50 forward and backward passes")).to_be_visible()
    expect(main.get_by_role("img", name=re.compile("map over the picture"))).to_have_count(len(SHOWN) - 1)
    main.get_by_role("button", name="Compute").click()
    expect(main.get_by_text(re.compile(r"[1-9]\d? of 50 forward and backward passes"))).to_be_visible()
    main.get_by_role("button", name="Cancel").click()
    expect(main.get_by_role("button", name="Compute")).to_be_visible()
    finished(page)


def explained() -> None:
    import streamlit as st

    from vizvit.pages.explanations import page as explanations
    from vizvit.pages.sidebar import choice

    st.session_state.choice = choice.choose()
    explanations.page()


def test_a_map_that_cannot_be_had_says_why_in_its_place(monkeypatch):
    def refuse(vit, view, method, **options):
        if METHODS[method].needs_target:
            raise vizvit.CaptureError(f"No gradient for {method}.")
        return explain(vit, view, method, **options)

    monkeypatch.setattr(panels, "explain", refuse)
    app = AppTest.from_function(explained, default_timeout=60)
    app.query_params |= {"image": "motorcycle", "height": "32"}
    app.run()
    assert not app.exception
    said = [info.value for info in app.info]
    assert said == [plain(f"No gradient for {method}.") for method in SHOWN if METHODS[method].needs_target]
    assert [element.type for element in app.main].count("image") == 3  # the picture and the two maps that need none
    assert any(button.label == "Measure" for button in app.button)
