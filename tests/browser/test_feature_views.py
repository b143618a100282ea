"""Explore's views of features in the browser against the library's own numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from running import explorer_of, settled
from skimage import data

import vizvit
from vizvit import perturb

pytestmark = pytest.mark.browser
VIT = vizvit.load_model("vizvit-tiny")
CAT = vizvit.capture(VIT, data.chelsea())
PREFIX = VIT.grid.num_prefix_tokens
WORST = 0.006  # of a cosine, from 8 bits a number


def cosines(page: Page, side: str = "a") -> np.ndarray:
    """What the picture of a side shows, [rows, cols], once nothing is pending."""
    root = explorer_of(page)
    page.wait_for_function(
        "([root, side]) => root.__vizvit.feature(side)?.row && !root.dataset.pending", arg=[root.element_handle(), side]
    )
    row = root.evaluate("(root, side) => Array.from(root.__vizvit.feature(side).row)", side)
    return np.array(row)[PREFIX:].reshape(VIT.grid.rows, VIT.grid.cols)


def test_similarity_components_and_norms_by_key_click_and_link(app, open_page):
    page = open_page(f"{app}/?layer=3&query=3,2")
    root = explorer_of(page)
    root.locator(".figure-a .picture").focus()
    page.keyboard.press("e")
    assert np.abs(cosines(page) - vizvit.patch_similarity(CAT, ("patch", 3, 2), 3)).max() < WORST
    page.keyboard.press("ArrowDown")
    page.keyboard.press("]")
    assert np.abs(cosines(page) - vizvit.patch_similarity(CAT, ("patch", 4, 2), 4)).max() < WORST
    expect(page).to_have_url(re.compile(r"view=similarity"))
    root.get_by_role("radio", name="components", exact=True).click()
    expect(root.locator(".reading")).to_contain_text("of the variance")
    page = open_page(f"{app}/?view=norms&layer=5")
    np.testing.assert_allclose(
        cosines(page), vizvit.patch_map(vizvit.token_norms(CAT)[6], CAT), rtol=1e-4
    )  # the same machine's rounding, another process
    expect(explorer_of(page).locator(".reading")).to_contain_text("artefact tokens")
    explorer_of(page).get_by_role("radio", name="attention", exact=True).click()
    settled(page)
    expect(explorer_of(page).locator(".reading")).to_contain_text("entropy")


def test_the_second_picture_shows_where_the_query_of_the_first_is_found(app, open_page):
    page = open_page(f"{app}/?view=similarity&layer=3&query=3,2&compare=flip")
    flipped = vizvit.capture_view(VIT, perturb.flip(CAT.view))
    expected = vizvit.patch_similarity(CAT, ("patch", 3, 2), 3, other=flipped)
    assert np.abs(cosines(page, "b") - expected).max() < WORST
    row, col = np.unravel_index(expected.argmax(), expected.shape)
    expect(explorer_of(page).locator(".figure-b .figure-line")).to_contain_text(f"row {row}, column {col}")
