"""The lesson: opened from a disk with the network off, it runs the model on any photograph."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from running import explorer_of
from skimage import data
from test_lesson import made
from test_offline import hover, opened_offline

import vizvit
from vizvit.cli import main
from vizvit.explorer import lesson
from vizvit.model.plain import plain
from vizvit.numbers import share

pytestmark = pytest.mark.browser
DROP = """([name, type, text]) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def vit() -> vizvit.VitModel:
    return vizvit.load_model("vizvit-tiny", device="cpu")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lesson") / "授業 vit.html"
    assert main(["lesson", "--out", str(out)]) == 0
    return out


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    with opened_offline(browser, file) as page:
        shown(page, 1)
        yield page


def shown(page: Page, count: int) -> None:
    """So many pictures have been looked at, with their features."""
    expect(page.locator("#desk")).to_have_attribute("data-features", str(count))


def drop(page: Page, name: str, content: bytes, type: str) -> None:
    page.evaluate(DROP, [name, type, base64.b64encode(content).decode()])


def agrees(page: Page, cap: vizvit.Capture, tokens: tuple[int, ...] = (0, 100)) -> None:
    root = explorer_of(page)
    for layer in range(cap.num_layers):
        for token in tokens:
            expected = cap.attention(layer)[:, token]
            flat = root.evaluate(
                "(root, [layer, token]) => Array.from(root.__vizvit.rows(layer, token))", [layer, token]
            )
            found = np.array(flat, np.float32).reshape(expected.shape)
            assert (np.abs(found - expected) <= 2e-3 * expected.max(-1, keepdims=True)).all()


def test_a_dropped_photograph_is_looked_at(page, vit, tmp_path):
    """Turned by its EXIF: attention, prediction, hover, layers, components and the PNG are those of the picture."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    Image.fromarray(data.coffee()).save(path, exif=exif)
    drop(page, path.name, path.read_bytes(), "image/png")
    shown(page, 2)
    cap = vizvit.capture(vit, vizvit.load_image(path))
    agrees(page, cap)
    logits = page.evaluate("() => Array.from(document.querySelector('#desk').__vizvit.logits)")
    assert np.abs(np.array(logits) - cap.logits).max() < 1e-3
    first = page.locator(".prediction li").first
    expect(first).to_contain_text(vit.short_label(int(cap.logits.argmax())))
    expect(first).to_contain_text(share(float(cap.probabilities.max())))
    hover(page, cap, 3, 5)
    root = explorer_of(page)
    expect(root).to_have_attribute("data-query", str(cap.grid.token(3, 5)))
    root.locator(".picture").focus()
    page.keyboard.press("[")
    expect(root).to_have_attribute("data-layer", str(cap.num_layers - 2))
    page.get_by_role("radio", name="components").click()
    expect(root).to_have_attribute("data-view", "components")
    found = page.evaluate("() => Array.from(document.querySelector('.vizvit').__vizvit.feature().components)")
    expected = vizvit.patch_components(cap, cap.num_layers - 2).reshape(-1)
    assert np.abs(np.array(found) - expected).max() < 2e-3 * np.abs(expected).max()
    page.get_by_role("button", name="Keep").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Picture, PNG").click()
    assert "turned" in download.value.suggested_filename
    assert Image.open(download.value.path()).width > 500


def test_a_webp_picture_is_turned_as_the_library_does_it(page, vit):
    """Browsers do not."""
    for count, turn in enumerate((3, 5, 8), 2):
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = turn
        Image.fromarray(data.coffee()[:200, :310]).save(file, "WEBP", exif=exif, quality=90)
        drop(page, f"{turn}.webp", file.getvalue(), "image/webp")
        shown(page, count)
        agrees(page, vizvit.capture(vit, vizvit.load_image(file.getvalue())), (0,))


def test_what_is_no_picture_or_too_large_is_refused_in_a_sentence(page):
    said = page.get_by_role("status").filter(has_text="“")
    drop(page, "letter.pdf", b"%PDF-1.7 ...", "application/pdf")
    expect(said).to_contain_text("“letter.pdf” (application/pdf) cannot be read as a picture.")
    drop(page, "nothing.jpg", b"", "image/jpeg")
    expect(said).to_contain_text("“nothing.jpg” is empty")
    huge = io.BytesIO()
    Image.new("1", (9000, 9000)).save(huge, "PNG")
    drop(page, "huge.png", huge.getvalue(), "image/png")
    expect(said).to_contain_text("“huge.png” has 9000 × 9000 pixels, and at most 67 million can be opened.")
    expect(page.locator("#desk")).to_have_attribute("data-shown", "1")


def test_samples_and_another_file_of_the_same_page(page, vit):
    page.get_by_role("button", name="sample: rocket").click()
    shown(page, 2)
    expect(page.get_by_role("button", name="sample: rocket")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".vizvit .caption")).to_contain_text("sample: rocket")


def test_it_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.querySelector('.vizvit').classList.contains('narrow')")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    top = page.locator(".vizvit .picture").bounding_box()["y"]
    assert top < 400, "the picture begins on the first screen"


def test_the_camera_is_looked_through(browser, file, vit):
    """Attention over Chromium's own moving picture; the last one stays, with its features."""
    with opened_offline(browser, file) as page:
        shown(page, 1)
        page.get_by_role("button", name="Camera").click()
        expect(page.get_by_role("status").filter(has_text="live")).to_contain_text("pictures a second")
        cap = vizvit.capture(vit, data.chelsea())
        hover(page, cap, 3, 5)
        count = int(page.locator("#desk").get_attribute("data-shown"))
        page.wait_for_function(
            "(count) => Number(document.querySelector('#desk').dataset.shown) > count + 3", arg=count
        )
        expect(explorer_of(page)).to_have_attribute("data-query", str(cap.grid.token(3, 5)))
        page.get_by_role("button", name="Stop the camera").click()
        shown(page, 2)
        assert set(json.loads(page.locator("#desk").get_attribute("data-times"))) >= {"forward", "features"}


def test_moments_of_the_training_are_run_on_the_same_picture(browser, tmp_path):
    found = [plain(made("registers", seed)) for seed in (0, 1)]
    moments = [
        lesson.Moment(one.model, one.tensors, f"weights {n}", n == 1, f"moment {n}", 0.25)
        for n, one in enumerate(found)
    ]
    sample = io.BytesIO()
    Image.fromarray(data.chelsea()).save(sample, "PNG")
    samples = [lesson.Sample("a cat", sample.getvalue(), "image/png")]
    out = tmp_path / "moments.html"
    out.write_text(lesson.build(moments, name="a", labels="abcde", outputs="softmax", samples=samples), "utf-8")
    with opened_offline(browser, out) as page:
        shown(page, 1)
        agrees(page, vizvit.capture(made("registers", 1), data.chelsea()), (0, 5))
        slider = page.get_by_role("slider", name="training")
        slider.press("ArrowLeft")
        shown(page, 2)
        agrees(page, vizvit.capture(made("registers", 0), data.chelsea()), (0, 5))
        expect(page.locator(".training")).to_contain_text("moment 0 · 25.0 % of held-out pictures")
        expect(page.locator(".vizvit .caption")).to_contain_text("weights 0")
        expect(page.locator(".badge").first).to_contain_text("untrained")
