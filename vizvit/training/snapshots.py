"""What the network was on its way: averaged weights at a few moments of a run, with an index."""

from __future__ import annotations

import json
from pathlib import Path

from torch import nn

from .network import save_weights

MOMENTS = (0.0, 0.01, 0.05, 0.25, 1.0)
INDEX = "index.json"


def due(fraction: float, taken: list[float]) -> float | None:
    """The latest moment that has come and is not taken yet; earlier ones that were missed are gone."""
    come = [moment for moment in MOMENTS if moment <= fraction]
    return come[-1] if come and come[-1] not in taken else None


def take(network: nn.Module, directory: Path, entry: dict) -> dict:
    """Save float16 weights and enter them in the index.

    entry: fraction, step, epoch, seconds, top1, top5; its file is named after the fraction.
    """
    directory.mkdir(parents=True, exist_ok=True)
    entry = entry | {"file": f"at-{100 * entry['fraction']:05.1f}-percent.safetensors"}
    save_weights(network, directory / entry["file"])
    entries = [old for old in read(directory) if old["fraction"] != entry["fraction"]]
    partial = directory / f"{INDEX}.part"
    entries = sorted([*entries, entry], key=lambda entry: entry["step"])
    partial.write_text(json.dumps(entries, indent=1) + "\n", "utf-8")
    partial.replace(directory / INDEX)
    return entry


def read(directory: Path) -> list[dict]:
    """The index, in the order of steps."""
    file = directory / INDEX
    return json.loads(file.read_text("utf-8")) if file.is_file() else []
