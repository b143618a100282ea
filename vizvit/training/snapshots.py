"""What the network was on its way: averaged weights at a few moments of a run, with an index."""

from __future__ import annotations

import json
from pathlib import Path

from torch import nn

from ..files import write_text
from ..reading import json_of
from .network import save_weights

MOMENTS = (0.0, 0.01, 0.05, 0.25, 1.0)  # shares of a budget
EPOCHS = (0.0, 0.1, 1.0, 4.0, 16.0, 64.0, 256.0)  # of a run whose end is not known
INDEX = "index.json"


def due(fraction: float, taken: list[float], epoch: float | None = None) -> float | None:
    """The latest moment that has come and is not taken yet; earlier ones that were missed are gone.

    epoch: how far a run with an open end has come, whose moments are epochs.
    """
    moments, now = (MOMENTS, fraction) if epoch is None else (EPOCHS, epoch)
    come = [moment for moment in moments if moment <= now]
    return come[-1] if come and come[-1] not in taken else None


def take(network: nn.Module, directory: Path, entry: dict) -> dict:
    """Save float16 weights and enter them in the index.

    entry: fraction (None while the end is not known), step, epoch, seconds, top1, top5; its file is named after the
    fraction, or after the epoch. The last one gives the others their fraction of the whole.
    """
    fraction = entry["fraction"]
    when = f"{entry['epoch']:06.1f}-epochs" if fraction is None else f"{100 * fraction:05.1f}-percent"
    entry = entry | {"file": f"at-{when}.safetensors"}
    save_weights(network, directory / entry["file"])
    entries = sorted(
        [*(old for old in read(directory) if old["file"] != entry["file"]), entry], key=lambda entry: entry["step"]
    )
    if fraction == 1:
        shares = [round(old["step"] / max(1, entry["step"]), 6) for old in entries]
        entries = [
            old if old["fraction"] is not None else old | {"fraction": s}
            for old, s in zip(entries, shares, strict=True)
        ]
    write_text(directory / INDEX, json.dumps(entries, indent=1) + "\n")
    return entry


def read(directory: Path) -> list[dict]:
    """The index, in the order of steps."""
    file = directory / INDEX
    return json_of(file) if file.is_file() else []
