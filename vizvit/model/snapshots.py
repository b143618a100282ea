"""The weights that a training run left on its way, beside a model's directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from ..reading import json_of, kind_of, path_of
from .loading import SHIPPED, shipped_dir


@dataclass(frozen=True)
class Snapshot:
    """One moment of a training run.

    weights: what `load_model(name, weights=...)` takes: "random", the path of a file, or "pretrained" for the end.
    epoch: passes over the data until then. top1: accuracy on held-out pictures, 0 to 1.
    """

    weights: str
    epoch: float
    top1: float
    title: str


def snapshots(name: str | Path) -> tuple[Snapshot, ...]:
    """The snapshots of the shipped model or of a local directory, from untrained to the end; none where it has none.

    Read from `snapshots/index.json` in the directory, as `python -m vizvit train --snapshots` writes it. The untrained
    network needs no file where its seed is load_model's, nor does the end, which is the model itself.
    """
    directory = shipped_dir() if str(name) == SHIPPED else path_of(str(name).removeprefix("local-dir:"))
    index = directory / "snapshots" / "index.json"
    if kind_of(index) != "file":
        return ()
    try:
        entries = json_of(index)
        return tuple(
            Snapshot(_weights(index.parent, entry), entry["epoch"], entry["top1"], _title(entry)) for entry in entries
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read as an index of training snapshots ({error!r}).") from error


def _weights(directory: Path, entry: dict) -> str:
    if _share(entry) >= 1:
        return "pretrained"
    file = directory / entry["file"] if entry.get("file") else None
    if file is None or (_share(entry) == 0 and not file.is_file()):
        return "random"
    return str(file)


def _title(entry: dict) -> str:
    if _share(entry) == 0:
        return "untrained"
    epoch = f"epoch {entry['epoch']:.1f}" if entry["epoch"] < 10 else f"epoch {entry['epoch']:.0f}"
    return f"{epoch}, the end" if _share(entry) >= 1 else epoch


def _share(entry: dict) -> float:
    """How much of the run was over: 0 to 1; something between where its end was not known yet."""
    return entry["fraction"] if entry["fraction"] is not None else min(0.5, entry["step"])
