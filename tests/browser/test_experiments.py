"""Each experiment in the browser: what it shows is what the library computes."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from running import settled
from skimage import data
from test_language import switch_to

import vizvit
from vizvit.analysis.ranks import rank_correlation
from vizvit.interventions import Change
from vizvit.numbers import share
from vizvit.pictures import perturb
from vizvit.walk import lessons

pytestmark = pytest.mark.browser
SIDE = 32  # pixels: a board of few patches
VIT = vizvit.load_model("vizvit-tiny", image_size=SIDE)
BEFORE = vizvit.capture(VIT, data.chelsea())
FIRST = int(BEFORE.probabilities.argmax())
EYE = {(6, 4), (6, 5)}


def opened(open_page, app: str, query: str = "", **options) -> Page:
    page = open_page(f"{app}/experiments?height={SIDE}&{query}", **options)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settled(page)
    return page


@pytest.fixture
def shared(app, share_page) -> Callable[[str], Page]:
    """shared(experiment): it, on a page that tests share which leave nothing there but that experiment's choices."""
    page = opened(share_page, app)

    def show(name: str) -> Page:
        choose(page, name)
        return page

    return show


def choose(page: Page, name: str) -> None:
    index = lessons.EXPERIMENTS.index(name)
    main_of(page).get_by_test_id("stButtonGroup").first.get_by_role("radio").nth(index).click()
    settled(page)


def main_of(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def captured(*changes: Change, view: np.ndarray | None = None) -> vizvit.Capture:
    with vizvit.intervene(VIT, *changes) as changed:
        return vizvit.capture_view(changed, BEFORE.view if view is None else view)


def expect_change(page: Page, after: vizvit.Capture) -> None:
    """The change of the class that was first: both probabilities, and their difference in points."""
    settled(page)
    was, now = BEFORE.probabilities[FIRST], after.probabilities[FIRST]
    name = VIT.label(FIRST).split(", ")[0]
    expect(main_of(page).get_by_text(f"{name}: {share(was)} → {share(now)}")).to_be_visible()
    points = f"{round(100 * now, 1) - round(100 * was, 1):+.1f} points".replace("-", "−")  # as the two are written
    expect(main_of(page).get_by_text(points)).to_be_visible()
    winner = VIT.label(int(after.probabilities.argmax())).split(", ")[0]
    if winner != name:
        expect(main_of(page).get_by_text(f"{winner} comes first now")).to_be_visible()
    settled(page)
    expect(main_of(page).get_by_test_id("stImage")).to_have_count(6)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def cell(page: Page, row: int, col: int) -> Locator:
    """One of the board that is there once the page has settled: until then the last experiment's stands beside it."""
    settled(page)
    return page.locator(f".cells[data-ready=true] [data-cell='{row},{col}']")


def metric(page: Page, label: str) -> str:
    settled(page)
    found = main_of(page).get_by_test_id("stMetric").filter(has_text=label)
    return found.get_by_test_id("stMetricValue").inner_text()


def number(text: str) -> float:
    """Of "2.4 × 10⁻⁶", "−0.10" or "3.62 nats"."""
    text = text.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")).replace(" × 10", "e")
    return float(text.split()[0])


def test_positions_zeroed_and_the_order_of_patches_then_swapped_and_shuffled(shared):
    page = shared("positions")
    expect_change(page, captured(vizvit.PositionEmbedding("zero")))
    found = vizvit.shuffled_class_difference(VIT, BEFORE.view, 0)
    assert 0 < number(metric(page, "embeddings zeroed")) < 1e-4
    assert number(metric(page, "embeddings kept")) == pytest.approx(found.kept, rel=0.01)

    page.get_by_role("radio", name="swapped").click()
    expect(main_of(page).get_by_text("As trained, nothing is changed")).to_be_visible()
    for place in ((0, 0), (2, 3), (5, 6)):  # the third lets go of the first
        cell(page, *place).click()
    expect_change(page, captured(vizvit.PositionEmbedding("swap", patches=((2, 3), (5, 6)))))
    expect(page).to_have_url(re.compile("positions=swap"))

    page.get_by_role("radio", name="shuffled").click()
    page.get_by_role("spinbutton", name="Seed").fill("3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("seed=3"))
    expect_change(page, captured(vizvit.PositionEmbedding("shuffle", seed=3)))


def test_temperature_and_entropy(shared):
    page = shared("temperature")
    after = captured(vizvit.Temperature(2))
    expect_change(page, after)
    before = number(metric(page, "Mean entropy, as it is"))
    entropies = [entropy_of(cap) for cap in (BEFORE, after)]
    assert before == pytest.approx(entropies[0], abs=0.006)
    assert number(metric(page, "changed")) == pytest.approx(entropies[1], abs=0.006)
    assert entropies[1] > entropies[0]
    main_of(page).get_by_text("Scaling by 1/√d removed").click()
    expect_change(page, captured(vizvit.Temperature(2), vizvit.NoScaling()))
    expect(page).to_have_url(re.compile("scaling=off"))


def entropy_of(cap: vizvit.Capture) -> float:
    rows = cap.attention(-1)[:, 0].astype(np.float64)  # the class token's, [head, key]
    return float(-(rows * np.log(rows)).sum(-1).mean())


def test_heads_and_layers_are_switched_off_and_back_and_every_experiment_in_japanese_on_a_phone(app, open_page):
    page = opened(open_page, app, "experiment=heads")
    main = main_of(page)
    expect(main.get_by_text("Click one in the matrix")).to_be_visible()
    cell(page, 1, 5).click()
    expect_change(page, captured(vizvit.KnockOutHeads({(5, 1)})))
    page.locator(".cells .grid").focus()
    for key in ("ArrowDown", " "):
        page.keyboard.press(key)
    expect_change(page, captured(vizvit.KnockOutHeads({(5, 1), (5, 2)})))
    expect(main.get_by_text("Off: layer 5 head 1, 2.")).to_be_visible()
    cell(page, -1, 3).click()
    expect_change(page, captured(vizvit.KnockOutLayers({3}), vizvit.KnockOutHeads({(5, 1), (5, 2)})))
    expect(cell(page, -1, 3)).to_have_attribute("aria-selected", "true")

    switch_to(page, "日本語")
    expect(main.get_by_text("切断中: 層 3; 層 5 ヘッド 1, 2")).to_be_visible()
    main.get_by_role("button", name="すべて元に戻す").click()
    expect(main.get_by_text("すべてのヘッドが働いています。", exact=True)).to_be_visible()
    expect(page.locator(".cells [aria-selected=true]")).to_have_count(0)
    settled(page)
    every_experiment_in_japanese_on_a_phone(page)


def every_experiment_in_japanese_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("heading", name="実験", level=1)).to_be_visible()
    for name, start in lessons.experiments("ja").items():
        choose(page, name)
        expect(main_of(page).get_by_text(start[:8]).first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_patches_are_not_to_be_looked_at(shared):
    page = shared("attention")
    for place in sorted(EYE):
        cell(page, *place).click()
    expect_change(page, captured(vizvit.KnockOutAttention(EYE)))
    page.get_by_role("radio", name="all tokens").click()
    expect_change(page, captured(vizvit.UnseenPatches(EYE)))


def test_patches_are_masked(shared):
    page = shared("patches")
    cell(page, 4, 2).hover()
    page.mouse.down()
    cell(page, 4, 4).hover()
    page.mouse.up()
    masked = {(4, 2), (4, 4)}  # and what the mouse passed on its way
    masked |= {
        tuple(map(int, name.split(",")))
        for name in page.locator(".cells .cell.on").evaluate_all("cells => cells.map(cell => cell.dataset.cell)")
    }
    expect_change(page, captured(view=perturb.grey(BEFORE.view, masked, VIT.grid.patch_size)))
    page.get_by_role("radio", name="blurred").click()
    expect_change(page, captured(view=perturb.blur(BEFORE.view, masked, VIT.grid.patch_size)))
    page.get_by_role("radio", name="dropped").click()
    expect_change(page, captured(vizvit.DropPatches(masked)))
    expect(main_of(page).get_by_text("Grey: patches that are not in the sequence.")).to_be_visible()


def test_what_cannot_be_changed_is_said_in_place(app, open_page):
    page = open_page(f"{app}/experiments?height=16&experiment=patches&mask=drop")
    page.locator(".cells .grid").focus()
    rows = 16 // VIT.grid.patch_size
    last = rows - 1
    for row in range(rows):
        page.keyboard.press(" ")
        for _ in range(last):
            page.keyboard.press("ArrowLeft" if row % 2 else "ArrowRight")
            page.keyboard.press(" ")
        page.keyboard.press("ArrowDown")
    expect(main_of(page).get_by_text("at least one has to stay")).to_be_visible()
    expect(main_of(page).get_by_test_id("stImage")).to_have_count(2)


def test_random_weights_and_their_curve(app, open_page):
    page = opened(open_page, app, "experiment=weights&blocks=3&seed=1")
    after = captured(vizvit.RandomWeights(3, seed=1))
    expect_change(page, after)
    attention = rank_correlation(vizvit.attention_map(BEFORE), vizvit.attention_map(after))
    rollout = rank_correlation(vizvit.rollout(BEFORE), vizvit.rollout(after))
    assert number(metric(page, "attention, last layer")) == pytest.approx(attention, abs=0.006)
    assert number(metric(page, "rollout")) == pytest.approx(rollout, abs=0.006)
    main_of(page).get_by_role("button", name="Compute it for every number of layers").click()
    dots = main_of(page).locator("[data-testid=stVegaLiteChart] [aria-roledescription=circle]")
    expect(dots).to_have_count(2 * (VIT.num_layers + 1))
    shown = dots.evaluate_all("dots => dots.map(dot => dot.getAttribute('aria-label'))")
    assert any(re.search(rf"n: 3; .*{rollout:.3f}", label) for label in shown), shown
    settled(page)
