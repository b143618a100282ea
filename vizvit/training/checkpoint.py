"""Checkpoints that are there in full or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from ..errors import ModelError

NAME = "checkpoint.pt"


def save(state: dict, directory: Path) -> None:
    """Replace the checkpoint of a directory in one step, after its bytes have reached the disk."""
    partial = directory / f"{NAME}.part"
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(directory / NAME)
    if os.name == "posix":
        folder = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


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
