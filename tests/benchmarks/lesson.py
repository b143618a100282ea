"""How long the lesson's page takes in Chromium for one picture, by part, and how many pictures of a camera a second.

python tests/benchmarks/lesson.py [--pictures 20] [--seconds 15]

The camera is Chromium's own moving picture, 640 × 480 at 20 a second; no GPU takes part.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "browser")]
from running import CHROMIUM, CHROMIUM_FLAGS

from vizvit.cli import main as command

PARTS = {"picture": "preprocessing", "forward": "forward", "encode": "handing over", "features": "features"}
TIMES = "() => JSON.parse(document.querySelector('#desk').dataset.times)"


def still(page: Page, count: int) -> dict[str, list[float]]:
    """Milliseconds by part of samples that are looked at one after the other."""
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    samples = page.locator(".sample")
    for number in range(count):
        before = int(page.locator("#desk").get_attribute("data-features"))
        samples.nth(number % samples.count()).click()
        page.wait_for_selector(f"#desk[data-features='{before + 1}']", timeout=60_000)
        for part, value in page.evaluate(TIMES).items():
            found[part].append(value)
    return found


def moving(page: Page, seconds: float) -> float:
    """Pictures of the camera a second."""
    page.locator(".press").last.click()
    page.wait_for_function("() => document.querySelector('.press[aria-pressed=true]')")
    page.wait_for_timeout(2000)  # until it runs evenly
    count, start = int(page.locator("#desk").get_attribute("data-shown")), time.perf_counter()
    page.wait_for_timeout(1000 * seconds)
    rate = (int(page.locator("#desk").get_attribute("data-shown")) - count) / (time.perf_counter() - start)
    page.locator(".press").last.click()
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=15)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "vit.html"
        command(["lesson", "--out", str(file)])
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        start = time.perf_counter()
        page.goto(file.as_uri())
        page.wait_for_selector("#desk[data-shown]", timeout=60_000)
        print(f"from opening the file to the first picture's attention: {time.perf_counter() - start:.1f} s")
        page.wait_for_selector("#desk[data-features]", timeout=60_000)
        print("| one picture, ms | median | least |\n|---|---|---|")
        for part, times in still(page, args.pictures).items():
            print(f"| {PARTS[part]} | {median(times):.0f} | {min(times):.0f} |")
        print(f"camera: {moving(page, args.seconds):.1f} pictures a second")
        browser.close()


if __name__ == "__main__":
    main()
