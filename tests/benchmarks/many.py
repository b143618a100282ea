"""What many pictures cost: the stream of captures, the statistics of heads and rollout, against bare forward passes.

    python tests/benchmarks/many.py [--quick] [--model DIR] [--device auto]

Every round times all contenders one after the other in one process, so that what else the machine does falls on all
alike; the table shows medians over the rounds and the median of the paired ratios to the first line. Statistics and
rollout are of a capture that is there already, at 1,374 tokens. Nothing here asserts a time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))
from capture import measure

import vizvit

BATCH = 16
LARGE = "vit_small_patch14_reg4_dinov2"  # 518 pixels: 37 x 37 patches and 5 prefix tokens


def table(title: str, calls: dict[str, Callable[[], object]], rounds: int, device: torch.device, each: int = 1) -> None:
    """each: pictures in a call; times are of one picture."""
    times = measure(calls, rounds, device)
    plain = next(iter(times.values()))
    print(f"\n{title}, {device}, {rounds} rounds")
    for name, found in times.items():
        ratios = [mine / bare for mine, bare in zip(found, plain, strict=True)]
        low, high = np.quantile(ratios, (0.25, 0.75))
        print(f"  {name:36}{median(found) / each * 1e3:9.2f} ms{median(ratios):9.3f}x{low:9.3f} - {high:.3f}")


def stream(images: list[Image.Image], rounds: int, device: str) -> None:
    vit = vizvit.load_model("vizvit-tiny", device=device)

    def bare() -> None:
        with torch.no_grad():
            for start in range(0, len(images), BATCH):
                some = islice(images, start, start + BATCH)
                vit.module(torch.cat([vit.preprocess(image) for image in some]))

    def captured() -> None:
        for _ in vizvit.captures(vit, images, batch=BATCH):
            pass

    calls = {
        "bare batched forwards": bare,
        "vizvit.captures": captured,
        "vizvit.capture, one by one": lambda: [vizvit.capture(vit, image) and None for image in images],
    }
    table(f"{vit.name}, a picture of {len(images)}, batches of {BATCH}", calls, rounds, vit.device, len(images))


def analyses(name: str, image: Image.Image, rounds: int, device: str) -> None:
    vit = vizvit.load_model(name, weights="pretrained" if Path(name).exists() else "random", device=device)
    cap, pixels = vizvit.capture(vit, image), vit.preprocess(image)

    def bare() -> None:
        with torch.no_grad():
            vit.module(pixels)

    calls = {
        "bare forward": bare,
        "head_statistics": lambda: vizvit.head_statistics(cap),
        "rollout, mean": lambda: vizvit.rollout(cap),
        "rollout, max": lambda: vizvit.rollout(cap, head_fusion="max"),
        "rollout, min": lambda: vizvit.rollout(cap, head_fusion="min"),
        "rollout, half of it discarded": lambda: vizvit.rollout(cap, discard_ratio=0.5),
    }
    table(f"{vit.name}, {cap.num_tokens} tokens", calls, rounds, vit.device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few rounds: to see that it runs")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--model", default=LARGE, help="for statistics and rollout; weights are random for a timm name")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    rounds = 2 if options.quick else options.rounds
    noise = np.random.default_rng(0).integers(0, 256, (2 * BATCH, 160, 200, 3), dtype=np.uint8)
    images = [Image.fromarray(pixels) for pixels in noise]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    stream(images, rounds, options.device)
    analyses(options.model, images[0], rounds, options.device)


if __name__ == "__main__":
    main()
