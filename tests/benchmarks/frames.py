"""How long a hover frame takes in Chromium: softmax of all heads and drawing them.

python tests/benchmarks/frames.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from running import CHROMIUM, CHROMIUM_FLAGS, explorer_of, running_app, settled

CASES = {
    "vizvit-tiny, 65 tokens, 6 heads": "",
    "ViT-B/16, 197 tokens, 12 heads": "?model=vit_base_patch16_224&weights=random",
    "DINOv2-S, 1,374 tokens, 6 heads": "?model=vit_small_patch14_reg4_dinov2&weights=random",
}


def frames(page, count: int = 120) -> list[float]:
    """Milliseconds of each hover frame while the pointer crosses the picture."""
    root = explorer_of(page)
    box = root.locator(".cover").bounding_box()
    times = []
    for i in range(count):
        x = box["x"] + box["width"] * (0.03 + 0.94 * ((i * 0.137) % 1))
        y = box["y"] + box["height"] * (0.03 + 0.94 * i / count)
        page.mouse.move(x, y)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        times.append(float(root.get_attribute("data-frame-ms")))
    return times[10:]


def main() -> None:
    print("| hover frame, ms | median | 95 % |\n|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_app(Path(folder) / "log", HF_HUB_OFFLINE="1") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for name, query in CASES.items():
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.goto(address + "/" + query)
            settled(page)
            times = sorted(frames(page))
            print(f"| {name} | {median(times):.1f} | {times[int(0.95 * len(times))]:.1f} |")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
