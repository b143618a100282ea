"""The order in which a map takes the patches."""

from __future__ import annotations

import numpy as np

from ..errors import CaptureError
from ..grid import PatchGrid


def patch_order(heat: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Patch numbers, row by row from 0, from the greatest value to the least, int64 [patch].

    Patches of one value are in a random order drawn with `seed`, so that no map is helped by the order of rows.
    """
    values = np.asarray(heat, np.float64).ravel()
    return np.lexsort((np.random.default_rng(seed).permutation(values.size), -values))


def without_order(heat: np.ndarray) -> int:
    """How many patches have a value that another one has, too: among those, the map has no order."""
    _, counts = np.unique(np.asarray(heat), return_counts=True)
    return int(counts[counts > 1].sum())


def checked_heat(heat: np.ndarray, grid: PatchGrid) -> np.ndarray:
    """The map as an array; CaptureError for another shape than the grid's, or values that have no order."""
    heat = np.asarray(heat)
    finite = bool(np.isfinite(heat).all())
    if heat.shape != (grid.rows, grid.cols) or not finite:
        raise CaptureError(
            f"Got a map of shape {list(heat.shape)}{'' if finite else ' with values not finite'}, but a finite "
            f"value for each of {grid.rows}x{grid.cols} patches was expected."
        )
    return heat


def patch_counts(patches: int, steps: int | None) -> np.ndarray:
    """How many patches are taken at each point of a curve, int64 [S+1], from 0 to all of them.

    steps: points after the first; None is one a patch. CaptureError for fewer than 1 or more than there are patches.
    """
    steps = patches if steps is None else steps
    if not 1 <= steps <= patches:
        raise CaptureError(f"A curve over {patches} patches has 1 to {patches} steps; received {steps}.")
    return np.rint(np.linspace(0, patches, steps + 1)).astype(np.int64)
