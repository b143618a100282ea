"""Maps that know nothing about the model: what an explanation has to beat."""

from __future__ import annotations

import numpy as np

from .task import Task


def random_numbers(task: Task, *, seed: int = 0) -> np.ndarray:
    """A number from 0 to 1 for each patch, drawn with `seed`."""
    grid = task.vit.grid
    return np.random.default_rng(seed).random((grid.rows, grid.cols), dtype=np.float32)


def centre(task: Task) -> np.ndarray:
    """1 - distance from the picture's middle to the patch's centre, as a share of the distance to a corner."""
    grid = task.vit.grid
    down = np.arange(grid.rows) + 0.5 - grid.rows / 2
    across = np.arange(grid.cols) + 0.5 - grid.cols / 2
    distance = np.hypot(down[:, None], across)
    return (1 - distance / (np.hypot(grid.rows, grid.cols) / 2)).astype(np.float32)
