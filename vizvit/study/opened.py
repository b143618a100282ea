"""How the app opens the model that a study is of: the words of the app's address."""

from __future__ import annotations

from pathlib import Path

import timm

from ..model.loading import SHIPPED, lasting
from ..model.snapshots import snapshots

_BY_NAME = ("shipped weights", "pretrained weights", "untrained weights")


def app_words(summary: dict) -> dict[str, str] | None:
    """model, and of weights, arch, height, width, outputs and training what is not as the app starts; or None.

    training: the number of a snapshot. None for what the app cannot open: a module that was made elsewhere, a folder's
    model with the weights of another file. A study that does not say how its model was opened is taken at its model's
    name.
    """
    opened = summary.get("opened") or _opened_by_name(summary)
    if not opened or not opened.get("model"):
        return None
    words = {"model": lasting(opened["model"])} | {name: opened.get(name) for name in ("arch", "outputs")}
    weights = opened.get("weights") or "pretrained"
    if weights == "random":
        words["weights"] = weights
    elif weights != "pretrained":
        words |= _weights_file(words["model"], weights) or {"model": None}
    if not words["model"]:
        return None
    words |= {side: opened.get(side) for side in ("height", "width")}
    return {name: str(value) for name, value in words.items() if value}


def _opened_by_name(summary: dict) -> dict | None:
    name = summary["model"]
    if summary["weights"] not in _BY_NAME or not (name == SHIPPED or timm.is_model(name.partition(".")[0])):
        return None
    return {"model": name, "weights": "pretrained" if summary["trained"] else "random"}


def _weights_file(model: str, weights: str) -> dict[str, str] | None:
    """A file of weights in the app's words: a snapshot of the model's training, or a checkpoint of an architecture."""
    path = Path(weights).expanduser().resolve()
    for number, moment in enumerate(snapshots(model)):
        if moment.weights not in ("pretrained", "random") and Path(moment.weights).resolve() == path:
            return {"training": str(number)}
    if model != SHIPPED and not Path(model).exists():
        return {"model": str(path), "arch": model}
    return None
