"""What a capture costs: time against the plain fused forward pass and timm's own extractor, bytes against matrices.

    python tests/benchmarks/capture.py [--quick] [--device auto]

Every round times all contenders one after the other in one process, so that what else the machine does falls on all
alike; the table shows medians over the rounds and the median of the paired ratios to the plain forward pass. Weights
are random: they cost the same. On a GPU also in half precision. Nothing here asserts a time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from timm.utils import AttentionExtract

sys.path.insert(0, str(Path(__file__).parents[2]))
import vizvit
from vizvit.model.vit import VitModel

PLAIN = "plain fused forward"
SPEED = ("vit_tiny_patch16_224", "vit_base_patch16_224")
MEMORY = "vit_small_patch14_reg4_dinov2"  # 1,374 tokens at 518 pixels


def contenders(vit: VitModel, device: str, image: Image.Image, half: bool) -> dict[str, Callable[[], object]]:
    unfused = vizvit.load_model(vit.name, weights="random", device=device, half=half).module
    for part in unfused.modules():  # timm's extractor sees nothing of fused attention
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    extract = AttentionExtract(unfused, method="fx")
    maps = extract(vit.preprocess(image))
    assert len(maps) == vit.num_layers and all(m.shape[-1] == vit.grid.num_tokens for m in maps.values())

    def without_gradients(call: Callable[[], object]) -> Callable[[], object]:
        def timed() -> object:
            with torch.no_grad():
                return call()

        return timed

    return {
        PLAIN: without_gradients(lambda: vit.module(vit.preprocess(image))),
        "vizvit.capture": lambda: vizvit.capture(vit, image),
        "timm AttentionExtract": without_gradients(lambda: extract(vit.preprocess(image))),
    }


def seconds(call: Callable[[], object], device: torch.device) -> float:
    settle = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    settle()
    start = time.perf_counter()
    call()
    settle()
    return time.perf_counter() - start


def measure(
    calls: dict[str, Callable[[], object]], rounds: int, device: torch.device, warm: int = 3
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    order = list(calls)
    for _ in range(warm):
        for call in calls.values():
            seconds(call, device)
    for turn in range(rounds):
        for place in range(len(order)):  # who goes first changes with the round
            name = order[(turn + place) % len(order)]
            times[name].append(seconds(calls[name], device))
    return times


def speed(name: str, rounds: int, device: str, image: Image.Image, half: bool = False) -> None:
    vit = vizvit.load_model(name, weights="random", device=device, half=half)
    times = measure(contenders(vit, device, image, half), rounds, vit.device)
    print(f"\n{name}, {vit.grid.num_tokens} tokens, {vit.device}, {vit.precision}, {rounds} rounds")
    print(f"  {'':24}{'median':>12}{'paired ratio':>16}{'quartiles':>18}")
    for contender, found in times.items():
        ratios = [mine / plain for mine, plain in zip(found, times[PLAIN], strict=True)]
        low, high = np.quantile(ratios, (0.25, 0.75))
        print(f"  {contender:24}{median(found) * 1e3:9.2f} ms{median(ratios):15.3f}x{low:12.3f} - {high:.3f}")


def memory(device: str, image: Image.Image) -> None:
    vit = vizvit.load_model(MEMORY, weights="random", device=device)
    cap = vizvit.capture(vit, image)
    matrices = cap.num_layers * cap.num_heads * cap.num_tokens**2 * 4
    embed = cap.num_layers * cap.num_tokens * vit.module.embed_dim * 4
    print(f"\n{MEMORY}, {cap.num_tokens} tokens, {cap.num_layers} layers x {cap.num_heads} heads")
    print(f"  bytes of the capture            {cap.nbytes:14,}")
    print(f"  layers x tokens x dim x 4       {embed:14,}   {cap.nbytes / embed:6.2f}x")
    print(f"  bytes of the attention matrices {matrices:14,}   1/{matrices / cap.nbytes:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few rounds: to see that it runs")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    on_gpu = options.device != "cpu" and torch.cuda.is_available()
    for name, half in product(SPEED, (False, True) if on_gpu else (False,)):
        speed(name, 4 if options.quick else options.rounds, options.device, image, half)
    memory(options.device, image)


if __name__ == "__main__":
    main()
