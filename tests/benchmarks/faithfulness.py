"""What deletion and insertion cost: time against the bare batched forwards they need, and memory by number of steps.

    python tests/benchmarks/faithfulness.py [--quick] [--device auto]

The bare forwards are as many pictures in batches of the same sizes, which lie ready in one tensor. Every round times
both one after the other, in changing order; the table shows medians over the rounds and the median of their ratios.
Memory is the greatest of a process of its own for each number of steps, beyond what it held with the model loaded and
warm; on a GPU what PyTorch allocated. Weights are random: they cost the same. Nothing here asserts a number.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import peak
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
import vizvit
from vizvit.model.vit import VitModel

CASES = (("vizvit-tiny", 32), ("vizvit-tiny", 256), ("vit_tiny_patch16_224", 32), ("vit_base_patch16_224", 32))
MEMORY = "vit_tiny_patch16_224"  # 196 patches


def load(name: str, device: str) -> VitModel:
    weights = "pretrained" if name == "vizvit-tiny" else "random"
    return vizvit.load_model(name, weights=weights, device=device)


def noise(vit: VitModel) -> tuple[np.ndarray, np.ndarray]:
    """A view and a map."""
    rng = np.random.default_rng(0)
    grid = vit.grid
    return rng.integers(0, 256, (*grid.image_size, 3), dtype=np.uint8), rng.random((grid.rows, grid.cols))


def seconds(call: Callable[[], object], device: torch.device) -> float:
    settle = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    settle()
    start = time.perf_counter()
    call()
    settle()
    return time.perf_counter() - start


def speed(name: str, batch: int, rounds: int, device: str, steps: int | None) -> None:
    vit = load(name, device)
    view, heat = noise(vit)
    total = 2 * (steps or heat.size)
    pixels = vit.normalise(view).repeat(batch, 1, 1, 1)

    @torch.no_grad()
    def bare() -> None:
        for start in range(0, total, batch):
            vit.module(pixels[: total - start])

    def curves() -> None:
        vizvit.faithfulness(vit, view, heat, target=0, steps=steps, batch=batch)

    calls = {"bare forwards": bare, "vizvit.faithfulness": curves}
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {label: [] for label in calls}
    for turn in range(rounds):
        for label in list(calls)[:: 1 if turn % 2 else -1]:
            times[label].append(seconds(calls[label], vit.device))
    ratios = [mine / plain for plain, mine in zip(*times.values(), strict=True)]
    low, high = np.quantile(ratios, (0.25, 0.75))
    print(f"\n{name}, {heat.size} patches, {total} pictures in batches of {batch}, {vit.device}, {rounds} rounds")
    for label, found in times.items():
        print(f"  {label:24}{median(found) * 1e3:10.1f} ms")
    print(f"  {'paired ratio':24}{median(ratios):10.3f} x   quartiles {low:.3f} - {high:.3f}")


def memory_of(steps: int, device: str) -> float:
    """MB beyond what the loaded and warm model takes; to be called in a process of its own."""
    vit = load(MEMORY, device)
    view, heat = noise(vit)
    vizvit.faithfulness(vit, view, heat, target=0, steps=1, batch=2)
    if vit.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before, greatest = torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated
    else:
        before, greatest = peak.resident(), peak.greatest
    vizvit.faithfulness(vit, view, heat, target=0, steps=steps, batch=32)
    return (greatest() - before) / 1e6


def memory(device: str, steps_of: tuple[int, ...]) -> None:
    print(f"\n{MEMORY}, batches of 32: memory beyond the warm model")
    for steps in steps_of:
        command = [sys.executable, __file__, "--device", device, "--memory-of", str(steps)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"  {steps:4} steps {float(done.stdout):10.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few rounds and steps: to see that it runs")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        print(memory_of(options.memory_of, options.device))
        return
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name, batch in CASES[:3] if options.quick else CASES:
        speed(name, batch, 2 if options.quick else options.rounds, options.device, 16 if options.quick else None)
    memory(options.device, (16, 64) if options.quick else (16, 49, 98, 196))


if __name__ == "__main__":
    main()
