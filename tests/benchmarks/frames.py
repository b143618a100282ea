"""How long the explorer takes in Chromium: hover frames, the matrix of all heads, rollout a layer.

python tests/benchmarks/frames.py [--large]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from playwright.sync_api import Locator, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from running import CHROMIUM, CHROMIUM_FLAGS, explorer_of, running_app, settled

CASES = {
    "vizvit-tiny": "",
    "ViT-B/16": "?model=vit_base_patch16_224&weights=random",
    "DINOv2-S": "?model=vit_small_patch14_reg4_dinov2&weights=random",
}
LARGE = {"DINOv2-L": "?model=vit_large_patch14_reg4_dinov2&weights=random"}
SIZE = """root => [root.__vizvit.shown().length,
  ...["heads", "layers"].map(name => Number(root.style.getPropertyValue(`--${name}`)))]"""
CHAIN = """(root, fuse) => new Promise(done => {
  const start = performance.now(), layers = Number(root.style.getPropertyValue("--layers"));
  const there = () => root.dataset.layer == "rollout" && !root.dataset.pending && (!fuse || root.dataset.head == fuse);
  // Not asked in every frame: that would take a tenth of what is measured.
  const observer = new MutationObserver(() => there() && requestAnimationFrame(() => {
    observer.disconnect();
    done((performance.now() - start) / layers);
  }));
  observer.observe(root, { attributes: true });
  root.querySelector(fuse ? `.choice-fuse [data-value=${fuse}]` : "button.rollout").click();
})"""
NEXT_FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def hover(page: Page, count: int = 120) -> list[float]:
    """Milliseconds of each hover frame while the pointer crosses the picture."""
    root = explorer_of(page)
    times = []
    for x, y in _crossing(root, count):
        page.mouse.move(x, y)
        page.evaluate(NEXT_FRAME)
        times.append(float(root.get_attribute("data-frame-ms")))
    return times[10:]


def similarity(page: Page, count: int = 120) -> list[float]:
    """Milliseconds of each hover frame of similarity, with the maps of other layers that it draws, as `hover`."""
    root = explorer_of(page)
    root.get_by_role("radio", name="similarity", exact=True).click()
    here = "root => root.__vizvit.vectors.length == root.style.getPropertyValue('--layers') && !root.dataset.pending"
    page.wait_for_function(here, arg=root.element_handle(), timeout=300_000)
    settled(page)
    times = hover(page, count)
    root.get_by_role("radio", name="attention", exact=True).click()
    settled(page)
    return times


def matrix(page: Page, count: int = 40) -> list[float]:
    """Milliseconds from a new query to the last of its layers × heads thumbnails, frames between included."""
    root = explorer_of(page)
    root.get_by_role("button", name="all layers and heads").click()
    layers = "root => root.__vizvit.loaded.length == root.style.getPropertyValue('--layers')"
    page.wait_for_function(layers, arg=root.element_handle(), timeout=300_000)
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")  # the picture clear of the header
    times = []
    for x, y in _crossing(root, count):
        root.evaluate("root => root.dataset.atlasMs = ''")
        page.mouse.move(x, y)
        drawn = page.wait_for_function("root => root.dataset.atlasMs", arg=root.element_handle(), timeout=20_000)
        times.append(float(drawn.json_value()))
    return times[5:]


def rollout(page: Page, rounds: int = 3) -> list[float]:
    """Milliseconds a layer from the wish for another fusion of the rollout to its picture; all layers are here."""
    root = explorer_of(page)
    times = [root.evaluate(CHAIN, fuse) for fuse in (None, *("max", "min", "mean") * rounds)]
    root.get_by_role("button", name="rollout").click()
    return times[1:]  # the first starts the workers


def _crossing(root: Locator, count: int) -> Iterator[tuple[float, float]]:
    """Centres of patches all over the picture, no two alike in a row."""
    box = root.locator(".cover").bounding_box()
    rows, cols = (int(root.get_attribute(f"data-{axis}")) for axis in ("rows", "cols"))
    for i in range(count):
        row, col = i * rows // count, (5 * i + i // cols) % cols
        yield box["x"] + box["width"] * (col + 0.5) / cols, box["y"] + box["height"] * (row + 0.5) / rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also a model of 24 layers and 1,374 tokens (1.2 GB)")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="NAME", help=", ".join(CASES))
    args = parser.parse_args()
    cases = {name: CASES[name] for name in args.only} | (LARGE if args.large else {})
    measures = "hover frame", "of similarity", "matrix", "rollout, a layer"
    print(f"| in the browser, ms | {' | '.join(f'{name}: median | 95 %' for name in measures)} |")
    print(f"|{'---|' * (1 + 2 * len(measures))}")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_app(Path(folder) / "log", HF_HUB_OFFLINE="1") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for name, query in cases.items():
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.set_default_timeout(300_000)
            page.goto(address + "/" + query)
            settled(page)
            tokens, heads, layers = explorer_of(page).evaluate(SIZE)
            size = f"{tokens:,} tokens, {heads} heads, {layers} layers"
            figures = [figure for measure in MEASURES for figure in _both(measure(page))]
            print(f"| {name}, {size} | {' | '.join(f'{figure:.1f}' for figure in figures)} |", flush=True)
            page.close()
        browser.close()


MEASURES = (hover, similarity, matrix, rollout)


def _both(times: list[float]) -> tuple[float, float]:
    times = sorted(times)
    return median(times), times[int(0.95 * len(times))]


if __name__ == "__main__":
    main()
