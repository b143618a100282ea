"""Make the README's screenshots from the real app: python tests/screenshots.py [--out assets/screenshots]"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent / "browser"))
from running import CHROMIUM, CHROMIUM_FLAGS, ROOT, explorer_of, running_app, settled

WIDE = {"viewport": {"width": 1600, "height": 1000}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
PROJECTOR = {"viewport": {"width": 1920, "height": 1080}}
LINK = "?image=cat&layer=7&query=7,6"
AT_REST = """() => document.fonts.status === "loaded" && document.getAnimations().every(
    one => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity)"""
SHOTS = {
    "explore": (LINK, WIDE),
    "explore-dark": (LINK, WIDE | {"color_scheme": "dark"}),
    "explore-phone": (LINK, PHONE),
    "explore-projector": (LINK, PROJECTOR),
    "explore-compare": (LINK + "&compare=flip", WIDE),
    "walkthrough": ("walkthrough?stage=8&layer=7&query=7,6", WIDE),
    "rollout": ("rollout", WIDE),
    "experiments": ("experiments?experiment=heads", WIDE),
    "positions": ("positions", WIDE),
    "heads": ("heads", WIDE),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "screenshots")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_app(Path(folder) / "log", HF_HUB_OFFLINE="1") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for name, (place, options) in SHOTS.items():
            page = browser.new_page(**options)
            page.goto(f"{address}/{place}")
            settled(page)
            if place.startswith(LINK):
                explorer_of(page)
            page.wait_for_load_state("networkidle")
            page.wait_for_function(AT_REST)
            picture = Image.open(io.BytesIO(page.screenshot()))
            picture.convert("RGB").save(out / f"{name}.webp", quality=88, method=6)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
