"""Explore's views of features in the browser against the library's own numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from running import drawn, explorer_of, settled
from shipped import CAT, SHIPPED

import vizvit
from vizvit import perturb

pytestmark = pytest.mark.browser
PREFIX = SHIPPED.grid.num_prefix_tokens
WORST = 0.006  # of a cosine, from 8 bits a number


def cosines(page: Page, side: str = "a") -> np.ndarray:
    """What the picture of a side shows, [rows, cols], once nothing is pending."""
    root = explorer_of(page)
    drawn(page)
    page.wait_for_function(
        "([root, side]) => root.__vizvit.feature(side)?.row && !root.dataset.pending", arg=[root.element_handle(), side]
    )
    row = root.evaluate("(root, side) => Array.from(root.__vizvit.feature(side).row)", side)
    return np.array(row)[PREFIX:].reshape(SHIPPED.grid.rows, SHIPPED.grid.cols)


def test_similarity_components_and_norms_by_link_click_and_key(app, open_page):
    page = open_page(f"{app}/?view=norms&layer=5&compare=flip")
    root = explorer_of(page)
    np.testing.assert_allclose(
        cosines(page), vizvit.patch_map(vizvit.token_norms(CAT)[6], CAT), rtol=1e-4
    )  # the same machine's rounding, another process
    reading = root.locator(".reading")
    expect(reading).to_contain_text("artefact tokens")
    root.get_by_role("radio", name="attention", exact=True).click()
    expect(reading).to_contain_text("entropy")
    cover = root.locator(".figure-a .cover")
    size, grid = cover.bounding_box(), SHIPPED.grid
    cover.click(position={"x": 2.5 * size["width"] / grid.cols, "y": 3.5 * size["height"] / grid.rows})
    page.mouse.move(5, 5)
    root.locator(".figure-a .picture").focus()
    for key in "[[e":
        page.keyboard.press(key)
    assert np.abs(cosines(page) - vizvit.patch_similarity(CAT, ("patch", 3, 2), 3)).max() < WORST
    the_second_picture_shows_where_the_query_of_the_first_is_found(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("]")
    assert np.abs(cosines(page) - vizvit.patch_similarity(CAT, ("patch", 4, 2), 4)).max() < WORST
    expect(page).to_have_url(re.compile(r"view=similarity"))
    root.get_by_role("radio", name="components", exact=True).click()
    expect(reading).to_contain_text("of the variance")


def the_second_picture_shows_where_the_query_of_the_first_is_found(page: Page) -> None:
    root = explorer_of(page)
    flipped = vizvit.capture_view(SHIPPED, perturb.flip(CAT.view))
    expected = vizvit.patch_similarity(CAT, ("patch", 3, 2), 3, other=flipped)
    assert np.abs(cosines(page, "b") - expected).max() < WORST
    row, col = np.unravel_index(expected.argmax(), expected.shape)
    expect(root.locator(".figure-b .figure-line")).to_contain_text(f"row {row}, column {col}")
    page.get_by_test_id("stMain").get_by_role("radio", name="nothing").click()
    expect(root.locator(".figure-b")).to_have_count(0)
    settled(page)
    root.locator(".figure-a .picture").focus()
