"""Partly filled pictures: the order in which a map takes the patches, what stands in their place, and the judgements.

One stream over all maps, made and judged batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from ..errors import CaptureError, ImageError
from ..grid import PatchGrid
from ..model.outputs import predicted
from ..model.vit import VitModel

FILLS = ("blur", "mean", "black")


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
            f"Got a map of shape {list(heat.shape)}{'' if finite else ' with NaN or infinite values'}, but a finite "
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


def filled(view: np.ndarray, fill: str, patch_size: int) -> np.ndarray:
    """The whole view taken away, uint8 [H, W, 3].

    fill: "blur", a Gaussian whose standard deviation is one patch, so that what is smaller than a patch is gone;
        "mean", the view's mean colour; "black".
    """
    if fill == "blur":
        return cv2.GaussianBlur(view, (0, 0), patch_size, borderType=cv2.BORDER_REFLECT)
    if fill == "mean":
        return np.broadcast_to(np.rint(view.mean((0, 1))).astype(np.uint8), view.shape)
    if fill == "black":
        return np.zeros_like(view)
    raise ImageError(f'Patches are filled with one of {", ".join(FILLS)}; received "{fill}".')


@dataclass(frozen=True, eq=False)
class Job:
    """One map's work: the view uint8 [H, W, 3], the patches in the order of the map [patch], the classes to follow."""

    view: np.ndarray
    order: np.ndarray
    targets: tuple[int, ...]


@torch.no_grad()
def predictions(
    vit: VitModel,
    jobs: Sequence[Job],
    counts: np.ndarray,
    fill: str,
    batch: int,
    on_progress: Callable[[int, int], None] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """(deletion, insertion), float32 [job, class, S+1] each: the probability, or the value, with `counts` [S+1] patches
    taken.

    All jobs follow as many classes. A job is 2 S pictures: S with the first 0 … patches filled, then S with only the
    first 0 … patches shown; where one curve ends the other one begins.
    """
    steps = len(counts) - 1
    total = 2 * steps * len(jobs)
    counts = torch.from_numpy(counts[:-1]).to(vit.device)
    found = torch.empty(total, len(jobs[0].targets), device=vit.device)
    sides: dict[int, _Sides] = {}
    for start in range(0, total, batch):
        numbers = torch.arange(start, min(start + batch, total), device=vit.device)
        wanted = range(start // (2 * steps), (start + len(numbers) - 1) // (2 * steps) + 1)
        for job in wanted:
            if job not in sides:
                sides[job] = _sides(vit, jobs[job], fill, list(sides.values()))
        sides = {job: sides[job] for job in wanted}
        pixels = _pixels(vit, [sides[job] for job in wanted], numbers - wanted[0] * 2 * steps, counts)
        targets = torch.tensor([jobs[job].targets for job in wanted], device=vit.device)  # [job, class]
        places = numbers // (2 * steps) - wanted[0]
        read = predicted(vit.outputs, vit.module(pixels).float())
        found[start : start + len(numbers)] = read.gather(1, targets[places])
        if on_progress:
            on_progress(start + len(numbers), total)
    halves = found.view(len(jobs), 2, steps, -1).permute(1, 0, 3, 2).cpu().numpy()  # [side, job, class, step]
    fills, shows = halves
    return np.concatenate([fills, shows[..., :1]], axis=-1), np.concatenate([shows, fills[..., :1]], axis=-1)


@dataclass(frozen=True, eq=False)
class _Sides:
    """A view and its filled counterpart as the model takes them, [3, H, W] each, and each patch's rank, [patch]."""

    view: np.ndarray
    whole: torch.Tensor
    empty: torch.Tensor
    rank: torch.Tensor


def _sides(vit: VitModel, job: Job, fill: str, others: list[_Sides]) -> _Sides:
    rank = torch.from_numpy(np.argsort(job.order)).to(vit.device)
    for other in others:
        if other.view is job.view:
            return _Sides(job.view, other.whole, other.empty, rank)
    empty = vit.normalise(filled(job.view, fill, vit.grid.patch_size))[0]
    return _Sides(job.view, vit.normalise(job.view)[0], empty, rank)


def _pixels(vit: VitModel, sides: list[_Sides], numbers: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """[picture, 3, H, W] of the pictures with these numbers, counted from the first of `sides` on."""
    steps, grid = len(counts), vit.grid
    jobs, places = numbers // (2 * steps), numbers % (2 * steps)
    taken = torch.stack([side.rank for side in sides])[jobs] < counts[places % steps, None]  # [picture, patch]
    shown = taken ^ (places < steps)[:, None]
    shown = shown.view(-1, 1, grid.rows, grid.cols)
    shown = shown.repeat_interleave(grid.patch_size, 2).repeat_interleave(grid.patch_size, 3)
    whole, empty = sides[0].whole[None], sides[0].empty[None]
    if len(sides) > 1:
        whole, empty = (torch.stack([getattr(side, name) for side in sides])[jobs] for name in ("whole", "empty"))
    height, width = whole.shape[-2:]  # what no patch covers is the same in both
    shown = F.pad(shown, (0, width - shown.shape[3], 0, height - shown.shape[2]))
    return torch.where(shown, whole, empty)
