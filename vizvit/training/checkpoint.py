"""Checkpoints that are there in full or not at all, whatever happens while they are written."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from ..errors import ModelError
from ..files import write_text, written
from ..reading import json_of
from .network import WEIGHTS

NAME = "checkpoint.pt"
STANDING = "training.json"


def save(state: dict, directory: Path) -> None:
    """Replace the checkpoint of a directory in one step, after its bytes have reached the disk."""
    written(directory / NAME, lambda partial: torch.save(state, partial))


def load(directory: Path) -> dict | None:
    """The checkpoint of a directory, None where there is none. Only tensors and plain values are read."""
    file = directory / NAME
    if not file.is_file():
        return None
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        if not {"recipe", "network", "optimizer", "step"} <= set(state):
            raise ValueError("it holds other things")
    except Exception as error:
        reason = str(error).split("\n")[0][:200] or type(error).__name__
        raise ModelError(
            f"{file} cannot be read as a checkpoint of a training run ({reason}). Move it away to start over."
        ) from error
    return state


def save_standing(standing: dict, directory: Path) -> None:
    """How far a run has come, beside the model that it has exported."""
    write_text(directory / "model" / STANDING, json.dumps(standing, indent=1) + "\n")


def load_light(directory: Path) -> dict | None:
    """A checkpoint from the exported model and its standing alone: averaged weights, the optimiser's state anew.

    So that a run goes on where only its small files were carried to; None where they are not there.
    """
    standing, weights = directory / "model" / STANDING, directory / "model" / WEIGHTS
    if not standing.is_file() or not weights.is_file():
        return None
    try:
        state = json_of(standing)
        network = {name: value.float() for name, value in load_file(weights).items()}
        if not {"recipe", "data", "step", "seconds", "taken", "start", "finished"} <= set(state):
            raise ValueError("something is missing in it")
    except Exception as error:
        raise ModelError(
            f"{standing} cannot be read as the standing of a training run ({str(error)[:200]}). Move it away to start "
            f"over."
        ) from error
    shapes = {name: list(value.shape) for name, value in network.items()}
    return state | {"shapes": shapes, "network": network, "ema": network, "optimizer": {}, "towards": None}
