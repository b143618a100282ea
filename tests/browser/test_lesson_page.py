"""The lesson: opened from a disk with the network off, it runs the model on any photograph."""

from __future__ import annotations

import base64
import io
import json
import re
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from running import CHROMIUM, PATIENCE, explorer_of
from skimage import data
from test_lesson import made
from test_offline import hover, opened_offline

import vizvit
from vizvit import walk
from vizvit.analysis import telling_look
from vizvit.cli import main
from vizvit.explorer import lesson
from vizvit.forward.anatomy import dissect
from vizvit.model.plain import plain
from vizvit.numbers import share
from vizvit.walk.content import content
from vizvit.walk.tour import Tour

pytestmark = pytest.mark.browser
ON_A_CARD = """async () => {
    const textOf = (id) => document.getElementById(id).textContent, answers = [];
    for (const software of [false, true]) {
        const worker = new Worker(URL.createObjectURL(new Blob([textOf("worker")], { type: "text/javascript" })));
        const answer = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
        const data = Uint8ClampedArray.from({ length: 4 * 90 * 70 }, (_, i) => (i * 37 + (i * i >> 5)) % 256);
        worker.postMessage({ what: "weights", number: 0, text: textOf("weights-0"), software });
        worker.postMessage({ what: "picture", id: 0, number: 0, picture: { data, width: 90, height: 70 } });
        const { by, logits, blob, reason } = await answer, start = 8 + new DataView(blob.buffer).getUint32(4, true);
        const numbers = [...new Float32Array(blob.slice(start).buffer)];
        answers.push({ by, reason, logits: [...(logits ?? [])], blob: numbers });
        worker.terminate();
    }
    return answers;
}"""
MADE = """(names) => {
    const made = document.querySelector("#walk").__walk.made;
    return JSON.stringify(Object.fromEntries(names.map((name) => [name, made[name]])),
        (_, one) => (ArrayBuffer.isView(one) ? [...one] : one));
}"""
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


def test_photographs_that_are_dropped_and_the_camera_are_looked_at(open_page, file, vit, tmp_path):
    with opened_offline(open_page, file) as page:
        shown(page, 1)
        check_refusals(page)
        check_camera(page, vit, 2)
        check_turned_photograph(page, vit, tmp_path, 3)
        check_turned_webp(page, vit, 4)


def check_refusals(page: Page) -> None:
    """What is no picture, or too large, is refused in a sentence."""
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


def check_camera(page: Page, vit: vizvit.VitModel, looked_at: int) -> None:
    """Attention over Chromium's own moving picture; the last one stays, with its features."""
    page.get_by_role("button", name="Camera").click()
    expect(page.get_by_role("status").filter(has_text="live")).to_contain_text("pictures a second")
    cap = vizvit.capture(vit, data.chelsea())
    hover(page, 4, 7, cap.grid.rows, cap.grid.cols)
    count = int(page.locator("#desk").get_attribute("data-shown"))
    page.wait_for_function("(count) => Number(document.querySelector('#desk').dataset.shown) > count + 3", arg=count)
    expect(explorer_of(page)).to_have_attribute("data-query", str(cap.grid.token(4, 7)))
    page.get_by_role("button", name="Stop the camera").click()
    shown(page, looked_at)
    assert set(json.loads(page.locator("#desk").get_attribute("data-times"))) >= {"forward", "features"}


def check_turned_photograph(page: Page, vit: vizvit.VitModel, tmp_path: Path, count: int) -> None:
    """Turned by its EXIF: attention, prediction, hover, layers, components and the PNG are those of the picture."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    Image.fromarray(data.coffee()).save(path, exif=exif)
    drop(page, path.name, path.read_bytes(), "image/png")
    shown(page, count)
    cap = vizvit.capture(vit, vizvit.load_image(path))
    agrees(page, cap)
    logits = page.evaluate("() => Array.from(document.querySelector('#desk').__vizvit.logits)")
    assert np.abs(np.array(logits) - cap.logits).max() < 1e-3
    first = page.locator(".prediction li").first
    expect(first).to_contain_text(vit.short_label(int(cap.logits.argmax())))
    expect(first).to_contain_text(share(float(cap.probabilities.max())))
    hover(page, 3, 5, cap.grid.rows, cap.grid.cols)
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


def check_turned_webp(page: Page, vit: vizvit.VitModel, first: int) -> None:
    """As the library does it; browsers do not."""
    for count, turn in enumerate((3, 5, 8), first):
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = turn
        Image.fromarray(data.coffee()[:200, :310]).save(file, "WEBP", exif=exif, quality=90)
        drop(page, f"{turn}.webp", file.getvalue(), "image/webp")
        shown(page, count)
        agrees(page, vizvit.capture(vit, vizvit.load_image(file.getvalue())), (0,))


def walk_at(page: Page, *names: str, **at: int) -> dict:
    """The walk's numbers of these names, once it has drawn this."""
    wanted = {name: str(value) for name, value in at.items()}
    page.wait_for_function(
        "(at) => Object.entries(at).every(([name, value]) => document.querySelector('#walk').dataset[name] === value)",
        arg=wanted,
        timeout=PATIENCE,
        polling=50,  # at every frame, the browser would make all of them
    )
    return json.loads(page.evaluate(MADE, names))


def test_the_walk_goes_through_the_pages_own_forward_pass(open_page, file, vit):
    with opened_offline(open_page, file) as page:
        shown(page, 1)
        page.get_by_role("button", name="sample: rocket").click()
        shown(page, 2)
        expect(page.get_by_role("button", name="sample: rocket")).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".vizvit .caption")).to_contain_text("sample: rocket")
        check_walk(page, vit, 3)


def check_walk(page: Page, vit: vizvit.VitModel, count: int) -> None:
    """The explorer's choice is followed, each stage is drawn with the library's numbers, and both fit a phone."""
    root, bar, grid, file = explorer_of(page), page.locator("#walk .bar"), vit.grid, io.BytesIO()
    Image.fromarray(data.coffee()).save(file, "PNG")
    drop(page, "coffee.png", file.getvalue(), "image/png")
    shown(page, count)
    cap = vizvit.capture(vit, data.coffee())
    look = telling_look(cap)
    page.get_by_role("button", name="Walkthrough").click()
    walk_at(page, stage=1, layer=look.layer, head=look.head, token=grid.token(look.row, look.col))
    for stage in range(2, 14):
        page.keyboard.press("ArrowRight")
        made = walk_at(page, "difference", "logits", stage=stage)
        assert made["difference"] < 1e-4
        badge = page.locator("#walk .vw-badge")
        expect(badge).to_have_class("vw-badge")
    assert np.abs(np.array(made["logits"]) - cap.logits).max() < 1e-3
    bar.locator("[data-part='8']").click()
    place = {"layer": 5, "head": 3, "token": 0}
    walk_at(page, stage=8)
    page.locator("#walk .layer_row").get_by_role("radio", name="5").click()
    walk_at(page, layer=5)
    page.locator("#walk .head_row").get_by_role("radio", name="3").click()
    walk_at(page, head=3)
    page.locator("#walk .token_row").get_by_role("radio", name="class").click()
    made, expected = walk_at(page, "attention", "entropy", **place), walk.scores(dissect(vit, cap.view, 5), 0, 3)
    assert np.abs(np.array(made["attention"]) - expected.attention).max() < 1e-3
    assert made["entropy"] == pytest.approx(expected.entropy, abs=1e-3)
    expect(page.locator("#walk .meet")).to_have_attribute("data-product", re.compile(r"^-?\d"))
    page.get_by_role("button", name="without").click()
    expect(page.locator("#walk [data-draw='scores'] figcaption")).to_have_text("Scores q·k")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    bar.locator("[data-part='6']").click()
    walk_at(page, stage=6)
    page.get_by_role("button", name="2", exact=True).click()
    page.wait_for_function("() => document.querySelector('#walk').__walk.made.batch?.movedBatch > 0", timeout=PATIENCE)
    assert walk_at(page, "batch", stage=6)["batch"]["movedLayer"] == 0
    page.get_by_role("button", name="Explore").click()
    expect(root).to_have_attribute("data-layer", "5")
    expect(root).to_have_attribute("data-head", "3")
    expect(root).to_have_attribute("data-query", "0")
    page.wait_for_function("() => document.querySelector('.vizvit').classList.contains('narrow')")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    top = page.evaluate("() => document.querySelector('.vizvit .picture').getBoundingClientRect().top + scrollY")
    assert top < 400, "the picture begins on the first screen"
    root.locator(".picture").focus()
    page.keyboard.press("[")
    expect(root).to_have_attribute("data-layer", "4")
    page.get_by_role("button", name="Walkthrough").click()
    walk_at(page, stage=6, layer=4)


def test_a_graphics_card_gives_what_webassembly_gives(browser, tmp_path):
    """On the card that Chromium imitates; a page takes none of those by itself."""
    found = plain(made("everything"))
    moment, out = lesson.Moment(found.model, found.tensors, "weights"), tmp_path / "card.html"
    sample = lesson.Sample("none", b"")
    out.write_text(
        lesson.build([moment], name="everything", labels="abcde", outputs="softmax", samples=[sample]), "utf-8"
    )
    flags = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
    with closing(browser.browser_type.launch(executable_path=CHROMIUM, args=flags)) as other:
        page = other.new_page()
        page.goto(out.as_uri())
        if not page.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())"):
            pytest.skip("this Chromium has no WebGPU adapter, not even an imitated one")
        by_itself, on_card = page.evaluate(ON_A_CARD)
    assert [by_itself["by"], on_card["by"]] == ["webassembly", "webgpu"]
    for part in ("logits", "blob"):  # the blob has queries and keys of all layers
        expected, given = (np.array(one[part], np.float32) for one in (by_itself, on_card))
        assert expected.shape == given.shape
        assert np.abs(np.nan_to_num(given - expected)).max(initial=0) < 1e-3


def test_a_teachers_lesson_is_walked(open_page, tmp_path):
    """Its stages alone, its sentences as they were written, and at its end the way to all stages."""
    vit, sample = made("registers"), io.BytesIO()
    Image.fromarray(data.chelsea()).save(sample, "PNG")
    found, tour = plain(vit), Tour.of({4: "<i>Who</i> stands here?", 9: ""})
    words = content(vit, found.model, "ja", tour=tour, place={"layer": 1, "head": 2})
    moment = lesson.Moment(found.model, found.tensors, "weights")
    samples = [lesson.Sample("a cat", sample.getvalue(), "image/png")]
    options = {"name": "a", "labels": list(vit.labels), "outputs": "softmax", "language": "ja", "walk": words}
    out = tmp_path / "tour.html"
    out.write_text(lesson.build([moment], samples=samples, **options), "utf-8")
    with opened_offline(open_page, out, color_scheme="dark") as page:
        walk_at(page, stage=4, layer=1, head=2)
        expect(page.locator("#walk .sentence")).to_have_text("<i>Who</i> stands here?")
        expect(page.locator("#walk [data-draw^='prefix-']")).to_have_count(3)
        page.locator("#walk .next").click()
        walk_at(page, stage=9)
        expect(page.locator("#walk .sentence")).to_be_hidden()
        page.get_by_role("button", name="13").click()
        page.locator("#walk .next").click()
        walk_at(page, stage=10)


def test_moments_of_the_training_are_run_on_the_same_picture(open_page, tmp_path):
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
    with opened_offline(open_page, out) as page:
        shown(page, 1)
        agrees(page, vizvit.capture(made("registers", 1), data.chelsea()), (0, 5))
        slider = page.get_by_role("slider", name="training")
        slider.press("ArrowLeft")
        shown(page, 2)
        agrees(page, vizvit.capture(made("registers", 0), data.chelsea()), (0, 5))
        expect(page.locator(".training")).to_contain_text("moment 0 · 25.0 % of held-out pictures")
        expect(page.locator(".vizvit .caption")).to_contain_text("weights 0")
        expect(page.locator(".badge").first).to_contain_text("untrained")
