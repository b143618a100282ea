"""A notebook that is executed, and its page in a real browser: the explorer in its cell answers to the pointer."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Locator, Page, expect
from shipped import CAT

import vizvit
from vizvit.texts import words

pytestmark = pytest.mark.browser
CELLS = """
import vizvit
from skimage import data
vit = vizvit.load_model("vizvit-tiny", device="cpu")
vit
---
cap = vizvit.capture(vit, data.chelsea())
cap
---
vizvit.show(cap, layer=3, query=("patch", 2, 5), layers=[0, 3, 7], language="ja")
---
vizvit.figure(cap, vizvit.rollout(cap), title="Rollout")
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory) -> tuple[nbformat.NotebookNode, Path]:
    """The executed notebook, and the page that it becomes."""
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS.split("---")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": Path(vizvit.__file__).parents[1]}}).execute()
    exporter = HTMLExporter(template_name="basic")
    path = tmp_path_factory.mktemp("notebook") / "notebook.html"
    body = exporter.from_notebook_node(notebook)[0]
    path.write_text(f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">{body}', "utf-8")
    return notebook, path


def explorer_in(page: Page, number: int) -> Locator:
    """The explorer of a frame, once it has drawn."""
    page.locator("iframe").nth(number).scroll_into_view_if_needed()  # frames that are not seen do not draw
    frame = page.frame_locator("iframe").nth(number)
    root = frame.locator(".vizvit[data-ready=true]")
    root.wait_for()
    return root


def hover(page: Page, number: int, row: int, col: int) -> Locator:
    """Move over a patch; returns the explorer."""
    root = explorer_in(page, number)
    cover = root.locator(".cover").first
    box = cover.bounding_box()
    page.mouse.move(box["x"] + (col + 0.5) * box["width"] / 16, box["y"] + (row + 0.5) * box["height"] / 16)
    return root


def test_outputs_are_what_they_should_be_and_explorers_answer_to_the_pointer(notebook, open_page):
    """One with some layers goes from one to the next."""
    made = [cell.outputs[-1].data for cell in notebook[0].cells]
    assert "<table" in made[0]["text/html"] and made[0]["text/plain"].startswith("VitModel(vizvit-tiny")
    assert "srcdoc=" in made[1]["text/html"] and made[1]["text/plain"].startswith("Capture(vizvit-tiny")
    assert "srcdoc=" in made[2]["text/html"]
    assert made[3]["image/png"]
    page = open_page(notebook[1].as_uri(), offline=True)
    root = hover(page, 0, 4, 9)
    expect(root).to_have_attribute("data-query", str(CAT.grid.token(4, 9)))
    expect(root).to_have_attribute("data-layer", "7")
    some = explorer_in(page, 1)
    expect(some).to_have_attribute("data-query", str(CAT.grid.token(2, 5)))
    expect(some).to_have_attribute("data-layer", "3")
    rollout = some.locator("button:disabled", has_text="ロールアウト")
    expect(rollout).to_have_attribute("title", words("explorer", "ja")["rollout_needs_all"])
    forward = some.get_by_role("button", name=words("explorer", "ja")["next_layer"])
    forward.click()
    expect(some).to_have_attribute("data-layer", "7")
    expect(forward).to_be_disabled()
    hover(page, 1, 8, 3)
    expect(some).to_have_attribute("data-query", str(CAT.grid.token(8, 3)))
